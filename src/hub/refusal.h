#pragma once

#include "base/refusal.h"

namespace roomcast::hub {

using base::describe;
using base::Refusal;
using base::RefusalInfo;

/// The refusal of requests that would open a further room: see Hub::has_space_for.
inline constexpr Refusal no_space_for_room{Refusal::Code::overloaded,
                                           "rooms with members take all that history.total_bytes allows"};

}  // namespace roomcast::hub

#pragma once

#include <cstdint>
#include <string_view>

#include "base/close_reason.h"

namespace roomcast::hub {

/// Why a publish, a join or a question about the past came to nothing.
struct Refusal {
  enum class Code : std::uint8_t {
    overloaded,   ///< past a limit of this server; nothing has happened
    unavailable,  ///< what orders or keeps the messages can't be reached; nothing has happened
    timed_out,    ///< no answer came in time: a publish may have happened all the same
    key_reused,   ///< the idempotency key belongs to another message
    count_,
  };
  Code code = Code::overloaded;
  std::string_view message;  ///< for whoever asked; outlives the refusal
};

/// Of what would open a further room: see Hub::has_space_for.
inline constexpr Refusal no_space_for_room{Refusal::Code::overloaded,
                                           "rooms with members take all that history.total_bytes allows"};

/// What each way in makes of a refusal.
struct RefusalInfo {
  std::string_view name;    ///< the stable code that clients are told
  std::uint16_t http;       ///< status of an HTTP answer
  base::CloseReason close;  ///< where the end of the connection is all that can be said
};

/// The row of the table for `code`.
[[nodiscard]] const RefusalInfo& describe(Refusal::Code code);

}  // namespace roomcast::hub

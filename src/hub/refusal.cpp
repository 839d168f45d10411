#include "hub/refusal.h"

#include <array>
#include <cstddef>

namespace roomcast::hub {

const RefusalInfo& describe(Refusal::Code code) {
  using base::CloseReason;
  static constexpr std::array<RefusalInfo, static_cast<std::size_t>(Refusal::Code::count_)> table{{
      {"overloaded", 503, CloseReason::overloaded},
      {"unavailable", 503, CloseReason::unavailable},
      {"timed_out", 503, CloseReason::unavailable},
      {"key_reused", 422, CloseReason::policy_violation},
  }};
  return table.at(static_cast<std::size_t>(code));
}

}  // namespace roomcast::hub

#include "base/refusal_tally.h"

namespace roomcast::base {

bool RefusalTally::is_logged(Refusal::Code code) {
  // The gate has a line of its own for the origin.
  if (code == Refusal::Code::origin_denied) return false;
  const std::uint16_t status = describe(code).http;
  return status == 401 || status == 403 || code == Refusal::Code::rate_limited ||
         code == Refusal::Code::room_full;
}

void RefusalTally::log(Refusal::Code code, std::string_view address, std::string_view principal) {
  const std::int64_t second = clock_->monotonic_ms() / 1'000;
  if (second != second_) {
    second_ = second;
    lines_ = 0;
  }
  if (lines_ == lines_per_second) {
    ++left_out_;
    return;
  }
  ++lines_;
  log_->info("client refused", {{"peer", address},
                                {"identity", principal.empty() ? "none" : principal},
                                {"code", describe(code).name},
                                {"left_out", left_out_}});
  left_out_ = 0;
}

}  // namespace roomcast::base

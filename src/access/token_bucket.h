#pragma once

#include <algorithm>
#include <cstdint>

namespace roomcast::access {

/// What a token bucket lets through: `amount` in `period_ms` on average, and at once what comes in
/// `burst_ms`, but one at least.
struct Rate {
  std::uint64_t amount = 0;  ///< 0: no limit; at most 10^9
  std::int64_t period_ms = 1'000;
  std::int64_t burst_ms = 1'000;
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// A token bucket, kept as the time at which it will be full again (the virtual scheduling form of the
/// generic cell rate algorithm, ITU-T I.371): eight bytes, and nothing has to run to fill it. Times are those
/// of a clock that never goes back (SteadyTime), in nanoseconds. A new bucket is full.
class TokenBucket {
 public:
  [[nodiscard]] bool is_full(std::int64_t now_ns) const { return full_at_ns_ <= now_ns; }
  [[nodiscard]] std::int64_t full_at_ns() const { return full_at_ns_; }

  /// How long until `amount` may be spent; 0: now. A full bucket lets through any amount, also more than it
  /// holds: what comes next waits the longer. `amount` is at most 2^32.
  [[nodiscard]] std::int64_t wait_ns(const Rate& rate, std::uint64_t amount, std::int64_t now_ns) const {
    const std::int64_t spent_ns = std::max<std::int64_t>(full_at_ns_ - now_ns, 0);
    const std::int64_t all_ns = std::max(rate.burst_ms * ns_per_ms, cost_ns(rate, 1));
    return std::max<std::int64_t>(spent_ns + std::min(cost_ns(rate, amount), all_ns) - all_ns, 0);
  }
  void spend(const Rate& rate, std::uint64_t amount, std::int64_t now_ns) {
    full_at_ns_ = std::max(full_at_ns_, now_ns) + cost_ns(rate, amount);
  }

 private:
  static constexpr std::int64_t ns_per_ms = 1'000'000;
  /// How long `amount` takes to come in.
  [[nodiscard]] static std::int64_t cost_ns(const Rate& rate, std::uint64_t amount) {
    // 2^32 bytes at a period of a second are 4 * 10^18 ns, just within range; other periods have amounts
    // of 1.
    const auto all = static_cast<std::int64_t>(amount) * (rate.period_ms * ns_per_ms);
    return all / static_cast<std::int64_t>(rate.amount);
  }

  std::int64_t full_at_ns_ = 0;
};

/// Makes a time that never goes back of a clock that might: where the clock jumps back, this stands still for
/// one call and goes on from there.
class SteadyTime {
 public:
  [[nodiscard]] std::int64_t at_ns(std::int64_t clock_ms) {
    if (clock_ms < last_ms_) ahead_ms_ += last_ms_ - clock_ms;
    last_ms_ = clock_ms;
    return (clock_ms + ahead_ms_) * 1'000'000;
  }

 private:
  std::int64_t last_ms_ = 0;
  std::int64_t ahead_ms_ = 0;  // of the clock
};

}  // namespace roomcast::access

#pragma once

#include <cstddef>

namespace roomcast::base {

/// How much work one client may have done in one go before others have their turn. Counted, not timed, so
/// that the same input is always cut at the same place: a unit is about what handling one byte costs (a
/// nanosecond or two), whatever is fixed about a message or a request counts as so many bytes.
class WorkAllowance {
 public:
  /// Some tenth of a millisecond: long enough that a read of ordinary messages is never cut, short enough
  /// that many clients who all use it up are served in turn within milliseconds.
  static constexpr std::size_t of_one_read = 131'072;

  explicit WorkAllowance(std::size_t units = of_one_read) : left_(units) {}

  void spend(std::size_t units) { left_ -= units < left_ ? units : left_; }
  [[nodiscard]] bool is_used_up() const { return left_ == 0; }
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  std::size_t left_;
};

}  // namespace roomcast::base

#pragma once

#include <cstddef>

namespace roomcast::base {

/// How much work one client may have done in one go before others have their turn. Counted, not timed, so
/// that the same input is always cut at the same place: a unit is about what handling one byte costs (a
/// nanosecond or two), whatever is fixed about a message or a request counts as so many bytes.
class WorkAllowance {
 public:
  /// Of a read that comes unasked. Hundreds of clients may send something at once, and each is read in the
  /// order in which they did: so little that nobody waits long for all of them, and enough for dozens of
  /// ordinary messages.
  static constexpr std::size_t of_first_read = 40'960;
  /// Of going on with what was more than that, behind those who ask for less.
  static constexpr std::size_t of_later_read = 131'072;

  explicit WorkAllowance(std::size_t units) : left_(units) {}

  void spend(std::size_t units) { left_ -= units < left_ ? units : left_; }
  [[nodiscard]] bool is_used_up() const { return left_ == 0; }
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  std::size_t left_;
};

}  // namespace roomcast::base

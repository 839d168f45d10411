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
  /// The same where more clients are ready than one turn looks at: a request, or some messages.
  static constexpr std::size_t of_crowded_read = 8'192;
  /// Of going on with what was more than that, behind those who ask for less.
  static constexpr std::size_t of_later_read = 131'072;
  /// What all who go on have together before the first of them has its next turn, as far as each still gets
  /// `least_later_read`.
  static constexpr std::size_t of_all_later_reads = 2'097'152;
  static constexpr std::size_t least_later_read = 16'384;

  explicit WorkAllowance(std::size_t units) : WorkAllowance(units, units) {}
  /// `costly_units`: from how many on the client has asked for much, however little it may have done now.
  WorkAllowance(std::size_t units, std::size_t costly_units) : units_(units), costly_units_(costly_units) {}

  void spend(std::size_t units) { spent_ += units; }
  [[nodiscard]] bool is_used_up() const { return spent_ >= units_; }
  [[nodiscard]] std::size_t left() const { return is_used_up() ? 0 : units_ - spent_; }
  [[nodiscard]] bool was_costly() const { return spent_ >= costly_units_; }

 private:
  std::size_t units_;
  std::size_t costly_units_;
  std::size_t spent_ = 0;
};

}  // namespace roomcast::base

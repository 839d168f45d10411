#pragma once

#include <cstddef>

namespace roomcast::base {

/// The amount of work that may be done for one client at a time, before other clients are served. Counted,
/// not timed, so that the same input is always divided at the same place. A unit is about the cost of
/// handling one byte (one or two nanoseconds); the fixed cost of a message or request counts as a number of
/// bytes.
class WorkAllowance {
 public:
  /// For input that arrives unsolicited. Hundreds of clients may send at once and are read in order of
  /// arrival: small enough to keep the wait of the last one short, large enough for dozens of ordinary
  /// messages.
  static constexpr std::size_t of_first_read = 40'960;
  /// For such input when more clients are ready than one turn serves: a request, or some messages.
  static constexpr std::size_t of_crowded_read = 8'192;
  /// For the rest of input that exceeded its allowance, after all clients that ask for less.
  static constexpr std::size_t of_later_read = 131'072;
  /// The total for all clients with deferred input before the first of them is served again, as far as each
  /// gets at least `least_later_read`.
  static constexpr std::size_t of_all_later_reads = 2'097'152;
  static constexpr std::size_t least_later_read = 16'384;

  explicit WorkAllowance(std::size_t units) : WorkAllowance(units, units) {}
  /// `costly_units`: the amount from which a client counts as expensive, however little it may do now.
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

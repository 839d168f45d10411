#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hub/message.h"

namespace roomcast::hub {

/// An epoch that a log had before the present one, and where the log left it.
struct Ancestor {
  std::uint64_t epoch = 0;
  std::uint64_t end =
      0;  ///< the last offset of this epoch that the log has; what came after it there is lost
  friend bool operator==(const Ancestor&, const Ancestor&) = default;
};

/// The epochs of a log: the present one, and those before. An engine that can't vouch any more for what it
/// has given out begins a new epoch (a fork), and goes on with the next offset. So offsets grow over all
/// epochs of a log, and a position of an ancestor is as good as ever up to the ancestor's end.
class Lineage {
 public:
  /// Those before are forgotten: positions in them are not in the log any more.
  static constexpr std::size_t ancestors_max = 8;

  Lineage() = default;
  /// `ancestors`: oldest first; an end is not below that of the one before.
  explicit Lineage(std::vector<Ancestor> ancestors);

  /// Whether `position` is in the log whose last message is at `top`: a reader that has everything up to it
  /// misses what comes after its offset, and nothing else.
  [[nodiscard]] bool has(const Position& position, const Position& top) const;
  /// The epoch in which the log, now in the epoch `present`, has given `offset`.
  [[nodiscard]] std::uint64_t epoch_at(std::uint64_t offset, std::uint64_t present) const;
  /// The last offset up to which this log, with its last message at `top`, and another one are the same;
  /// nothing if they have no epoch in common.
  [[nodiscard]] std::optional<std::uint64_t> last_common(const Position& top, const Lineage& other,
                                                         const Position& other_top) const;
  [[nodiscard]] const std::vector<Ancestor>& ancestors() const { return ancestors_; }
  [[nodiscard]] bool empty() const { return ancestors_.empty(); }

  friend bool operator==(const Lineage&, const Lineage&) = default;

 private:
  [[nodiscard]] std::optional<std::uint64_t> end_of(std::uint64_t epoch, const Position& top) const;

  std::vector<Ancestor> ancestors_;
};

}  // namespace roomcast::hub

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "hub/author.h"
#include "hub/node_members.h"

namespace roomcast::hub {

class Presence;

/// What a room's presence has where servers share their rooms: the members on other servers, and when those
/// are told of the members on this one. Changes within `announce_ms` are told together.
///
/// Bounded: by `nodes_max` servers with NodeMembers::names_max names each.
class RemoteMembers final : private base::Deadline::Listener {
 public:
  static constexpr std::int64_t announce_ms = 200;
  static constexpr std::int64_t announce_crowd_ms = 1'000;  ///< the same, of numbers
  static constexpr std::size_t nodes_max = 1'000;

  RemoteMembers(Presence& presence, base::Deadlines& deadlines, const base::Clock& clock)
      : presence_(presence), clock_(clock), due_(deadlines, *this) {}
  RemoteMembers(const RemoteMembers&) = delete;
  RemoteMembers& operator=(const RemoteMembers&) = delete;

  // --- Other servers ---

  void take(std::uint64_t node, const NodeChange& change);
  /// No server has members, as far as is known.
  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  /// Connections without a name.
  [[nodiscard]] std::size_t nameless() const { return nameless_; }
  /// Members that only their number is known of. One that is on several servers counts on each.
  [[nodiscard]] std::size_t unlisted() const { return unlisted_; }

  // --- This server ---

  /// A member has come here with its first connection, or its grace time here is over.
  void add_own() { ++own_; }
  void remove_own() { --own_; }
  [[nodiscard]] std::size_t own() const { return own_; }
  /// The members here are others, or are more or fewer.
  void note_own_change(bool is_crowd);
  [[nodiscard]] bool has_own_change() const { return changed_ms_.has_value(); }

  /// Time has passed: forgets servers that have been gone for the grace time. Returns whether the members
  /// here are to be told now.
  [[nodiscard]] bool on_due();

 private:
  struct Node {
    std::uint64_t id = 0;
    NodeMembers members{};
    std::size_t unlisted = 0;               // its part of unlisted_
    std::optional<std::int64_t> gone_ms{};  // since when it is not there any more
  };
  void on_deadline() override;
  void set_numbers(Node& node, std::size_t named, std::size_t nameless, bool lists_names);
  void replace_names(Node& node, const std::vector<Author>& names);
  void change_names(Node& node, const NodeChange& change);
  void forget(Node& node);
  void set_due();

  Presence& presence_;
  const base::Clock& clock_;
  std::vector<Node> nodes_;
  std::size_t nameless_ = 0;
  std::size_t unlisted_ = 0;
  std::size_t own_ = 0;
  std::optional<std::int64_t> changed_ms_;  // the members here, since they were told
  std::int64_t wait_ms_ = announce_ms;
  base::Deadline due_;
};

}  // namespace roomcast::hub

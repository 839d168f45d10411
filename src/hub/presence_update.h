#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "hub/author.h"
#include "hub/batch.h"
#include "hub/encodings.h"

namespace roomcast::hub {

/// What a snapshot has of a room that hides its members (PresenceLimits::hides_members).
enum class Hidden : std::uint8_t {
  counted,  ///< their number
  listed,   ///< the members, as of any other room
};

/// Who is in a room at one moment.
struct PresenceSnapshot {
  std::size_t count = 0;  ///< members, and connections without a name
  /// The members in the order of ByMember; nothing in a crowd.
  std::optional<std::vector<Author>> members;
  std::size_t anonymous = 0;  ///< connections without a name
};

/// A change of who is in a room.
struct PresenceChange {
  enum class What : std::uint8_t {
    joined,   ///< `member` came with its first connection, or shows a new name
    left,     ///< `member` has had no connection for the grace time
    counted,  ///< the room is a crowd: `snapshot` has their number, without members
    listed,   ///< it is no crowd any more: `snapshot`
  };
  What what = What::joined;
  Author member;
  PresenceSnapshot snapshot{};
};

/// A change on its way to all watchers, with its encodings: each is made once, for the first watcher that
/// asks for it.
class PresenceUpdate {
 public:
  /// The room's name must outlive it.
  PresenceUpdate(std::string_view room, PresenceChange change) : room_(room), change_(std::move(change)) {}
  PresenceUpdate(const PresenceUpdate&) = delete;
  PresenceUpdate& operator=(const PresenceUpdate&) = delete;

  [[nodiscard]] const PresenceChange& change() const { return change_; }
  /// Empty if the dialect has no message for it.
  [[nodiscard]] base::Bytes wire(const Encoder& encoder);

 private:
  std::string_view room_;
  PresenceChange change_;
  Encodings encodings_;
};

}  // namespace roomcast::hub

#pragma once

#include <cstddef>
#include <limits>
#include <list>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "hub/kept_bytes.h"
#include "hub/message.h"

namespace roomcast::hub {

class Room;

/// What is remembered of rooms and their messages, and what is forgotten first. A message is forgotten at its
/// room's limits; a room when nobody has been in it and nothing has been kept of it for its history's age.
/// When all of it together takes too much the emptiest rooms go first, then messages, beginning with the
/// oldest of the room that has been quiet longest. A room in use is never forgotten.
///
/// Nobody pushes out what others keep: a source that has brought more than a quarter of all that is
/// remembered loses its own first, in the rooms whose oldest message is its own. Sources that are not known
/// share in that with nobody: theirs go in the order above.
class Retention {
 public:
  class Owner {
   public:
    /// There is nothing to remember about the room: its owner frees it. Never a room in use.
    virtual void on_forgotten(Room& room) = 0;

   protected:
    ~Owner() = default;
  };

  Retention(const base::Clock& clock, Owner& owner) : clock_(clock), owner_(owner) {}
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;
  ~Retention() = default;

  void add(Room& room);
  /// Keeps a message that the room has just accepted.
  void keep(Room& room, const Message& message);
  /// Somebody has joined or left.
  void touch(Room& room);
  /// The room may not be in use any more.
  void on_idle(Room& room);
  /// Drops all messages of the room.
  void forget_history(Room& room);
  /// Drops what is too old or past the room's settings; the room itself too, if that is over.
  void trim(Room& room);

  /// Forgets until all together is at most `limit_bytes`, or only rooms that have members are left; no more
  /// than some messages and rooms in one call, which is as many as a publish adds and a few more.
  void keep_within(std::size_t limit_bytes);
  /// The same and what shed_half asked for, a slice's worth. True if there is more to forget.
  bool forget_some(std::size_t limit_bytes);
  /// Has half of what can be forgotten go, now or with the next calls of forget_some. Returns about how much
  /// that is.
  std::size_t shed_half();

  /// What it costs to remember a room of that name at all.
  [[nodiscard]] static std::size_t room_cost(std::string_view name);
  /// All histories, and what it costs to remember rooms at all.
  [[nodiscard]] std::size_t bytes() const { return kept_bytes_.total(); }
  /// The same by source: for histories to keep their part up to date.
  [[nodiscard]] KeptBytes& kept_bytes() { return kept_bytes_; }

 private:
  /// Rooms in the order of their last use, the longest unused first.
  using RoomList = std::list<Room*>;

  void put_in_list(Room& room);
  void put_with_source(Room& room);
  /// What a known source has brought, with the rooms whose oldest message is its own.
  [[nodiscard]] std::size_t weight_of(Source source) const {
    return source == 0 ? 0 : kept_bytes_.of(source);
  }
  [[nodiscard]] std::size_t history_bytes() const { return kept_bytes_.total() - room_bytes_; }
  [[nodiscard]] Room& next_to_lose();
  void set_due(Room& room);
  void drop_oldest_message();
  void forget(Room& room);
  /// False if there is nothing more to forget.
  bool forget_next();

  const base::Clock& clock_;
  Owner& owner_;
  RoomList empty_rooms_;          // rooms not in use and without messages: they can be forgotten
  RoomList rooms_with_messages_;  // rooms with messages
  std::unordered_map<Source, RoomList>
      by_source_;               // of those: the ones whose oldest message is of this source
  Source heaviest_ = 0;         // of those who published lately
  KeptBytes kept_bytes_;        // rooms without a source count for source 0
  std::size_t room_bytes_ = 0;  // of kept_bytes_, what rooms take beside their histories
  std::size_t shed_rooms_ = 0;  // so many are still to be forgotten
  std::size_t shed_bytes_ = std::numeric_limits<std::size_t>::max();  // and histories cut down to this
};

}  // namespace roomcast::hub

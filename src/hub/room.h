#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/encode_cache.h"
#include "hub/subscriber.h"

namespace roomcast::hub {

class Room;
class Hub;

/// One subscriber's place in one room, held by the subscriber: dropping it leaves the room.
class Membership {
 public:
  Membership(Hub& hub, Room& room, Subscriber& subscriber);
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership();

  [[nodiscard]] std::string_view room_name() const;

 private:
  friend class Room;
  Hub& hub_;
  Room& room_;
  Subscriber& subscriber_;
  std::uint64_t joined_after_ = 0;  // Room::accepted_ at the time of joining
  std::uint32_t index_ = 0;         // place in Room::members_
};

/// A named stream and who is in it. Accepts messages at any time and hands them out in walks: a walk takes
/// what has been accepted so far as one batch past every member, in slices. Members that join meanwhile are
/// owed nothing of that batch; members that leave meanwhile leave a hole that is closed when the walk ends.
class Room {
 public:
  explicit Room(std::string name) : name_(std::move(name)) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::size_t members() const { return members_.size() - holes_; }

  void accept(const Message& message);
  /// Whether a walk is under way or there are messages to begin one with.
  [[nodiscard]] bool has_work() const { return walking_ || !accepted_messages_.empty(); }

  struct Progress {
    std::size_t deliveries = 0;      ///< messages × members in this slice
    std::size_t released_bytes = 0;  ///< payload bytes accepted earlier and now handed to everybody
  };
  /// Takes the walk past at most `member_count` further members, beginning one if there is none.
  Progress walk(std::size_t member_count);

 private:
  friend class Membership;
  void join(Membership& member);
  void leave(Membership& member);
  void begin_walk();
  std::size_t end_walk();
  void close_holes();

  std::string name_;
  std::vector<Membership*> members_;  // null: left during a walk
  std::size_t holes_ = 0;

  std::vector<Message> accepted_messages_;
  std::uint64_t accepted_ = 0;  // how many messages were ever accepted

  bool walking_ = false;
  bool delivering_ = false;  // a subscriber's deliver is on the stack
  Batch batch_;
  std::uint64_t batch_begin_ = 0;  // number of messages accepted before the batch
  std::size_t next_member_ = 0;
  std::size_t end_member_ = 0;
};

}  // namespace roomcast::hub

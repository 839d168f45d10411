#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "load/stamp.h"
#include "load/tally.h"

namespace roomcast::bench {

/// The books of a fan-out over many rooms: the members and publishers of each, what each client is owed, and
/// what went wrong. Subscribers and publishers are numbered through, room by room; the publishers' numbers
/// are those in the stamps.
class Assembly {
 public:
  /// `subscribers` are divided evenly; each room has `publishers`. Throws std::invalid_argument when a room
  /// would be empty, or when there are more publishers than a stamp can distinguish.
  Assembly(std::size_t subscribers, std::size_t rooms, std::size_t publishers);

  [[nodiscard]] std::size_t subscribers() const { return subscribers_.size(); }
  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }
  [[nodiscard]] std::size_t publishers() const { return sent_.size(); }
  [[nodiscard]] std::size_t room_of_subscriber(std::size_t subscriber) const {
    return subscribers_[subscriber].room;
  }
  [[nodiscard]] std::size_t room_of_publisher(std::size_t publisher) const {
    return publisher / publishers_each_;
  }
  /// The first subscribers of a room are those that may publish there.
  [[nodiscard]] std::size_t subscriber_of(std::size_t publisher) const { return first_[publisher]; }

  void on_open(std::size_t subscriber);
  /// Nothing more can come to it; what it is owed is lost.
  void on_closed(std::size_t subscriber);
  /// Each open client of the publisher's room is owed `count` messages more.
  void on_sent(std::size_t publisher, std::uint32_t count);
  /// A delivery. False when it is not one of those that were owed.
  bool on_message(std::size_t subscriber, const std::optional<Stamp>& stamp);

  [[nodiscard]] std::uint32_t sent(std::size_t publisher) const { return sent_[publisher]; }
  /// Deliveries that are to come: in one room, in all, and those that have come.
  [[nodiscard]] std::uint64_t owed_in(std::size_t room) const { return rooms_[room].owed; }
  [[nodiscard]] std::uint64_t owed() const { return owed_; }
  [[nodiscard]] std::uint64_t deliveries() const { return deliveries_; }
  /// So far, with all that is still owed counted as lost.
  [[nodiscard]] Faults faults() const;

 private:
  struct Room {
    std::uint64_t owed = 0;
    std::uint32_t open = 0;
  };
  struct Subscriber {
    Tally tally;
    std::uint32_t room;
    bool open = false;
  };
  void settle(Room& room, std::uint64_t count);

  std::size_t publishers_each_;
  std::vector<Room> rooms_;
  std::vector<Subscriber> subscribers_;
  std::vector<std::uint32_t> sent_;   ///< by each publisher
  std::vector<std::uint32_t> first_;  ///< by publisher, the subscriber
  std::uint64_t owed_ = 0;
  std::uint64_t deliveries_ = 0;
  Faults faults_;
};

}  // namespace roomcast::bench

#include "scenario/assembly.h"

#include <stdexcept>

namespace roomcast::bench {

Assembly::Assembly(std::size_t subscribers, std::size_t rooms, std::size_t publishers)
    : publishers_each_(publishers), rooms_(rooms), sent_(rooms * publishers) {
  if (rooms == 0 || publishers == 0 || subscribers / rooms < publishers) {
    throw std::invalid_argument("each room needs a publisher, and as many subscribers as publishers");
  }
  if (sent_.size() > std::size_t{UINT16_MAX} + 1) {
    throw std::invalid_argument("at most 65536 publishers in all can be distinguished");
  }
  first_.reserve(sent_.size());
  subscribers_.reserve(subscribers);
  for (std::size_t i = 0; i < subscribers; ++i) {
    const std::size_t room = i * rooms / subscribers;
    // Those of the rooms before are complete: every room has at least as many subscribers.
    if (first_.size() < (room + 1) * publishers) first_.push_back(static_cast<std::uint32_t>(i));
    const Tally tally(static_cast<std::uint16_t>(room * publishers), static_cast<std::uint16_t>(publishers));
    subscribers_.push_back({tally, static_cast<std::uint32_t>(room)});
  }
}

void Assembly::on_open(std::size_t subscriber) {
  subscribers_[subscriber].open = true;
  ++rooms_[subscribers_[subscriber].room].open;
}

void Assembly::on_closed(std::size_t subscriber) {
  Subscriber& gone = subscribers_[subscriber];
  if (!gone.open) return;
  gone.open = false;
  Room& room = rooms_[gone.room];
  --room.open;
  for (std::size_t i = 0; i < publishers_each_; ++i) {
    settle(room, sent_[gone.room * publishers_each_ + i] - gone.tally.next(i));
  }
}

void Assembly::on_sent(std::size_t publisher, std::uint32_t count) {
  Room& room = rooms_[room_of_publisher(publisher)];
  sent_[publisher] += count;
  room.owed += std::uint64_t{count} * room.open;
  owed_ += std::uint64_t{count} * room.open;
}

bool Assembly::on_message(std::size_t subscriber, const std::optional<Stamp>& stamp) {
  Subscriber& receiver = subscribers_[subscriber];
  const std::size_t first = receiver.room * publishers_each_;
  if (!stamp || stamp->publisher < first || stamp->publisher - first >= publishers_each_ ||
      stamp->number >= sent_[stamp->publisher]) {
    ++faults_.unstamped;
    return false;
  }
  const std::size_t publisher = stamp->publisher - first;
  const std::uint32_t before = receiver.tally.next(publisher);
  receiver.tally.note(*stamp, faults_);
  const std::uint32_t advance = receiver.tally.next(publisher) - before;
  settle(rooms_[receiver.room], advance);
  if (advance > 0) ++deliveries_;
  return advance > 0;
}

Faults Assembly::faults() const {
  Faults faults = faults_;
  for (const Subscriber& subscriber : subscribers_) {
    for (std::size_t i = 0; i < publishers_each_; ++i) {
      faults.lost += sent_[subscriber.room * publishers_each_ + i] - subscriber.tally.next(i);
    }
  }
  return faults;
}

void Assembly::settle(Room& room, std::uint64_t count) {
  room.owed -= count;
  owed_ -= count;
}

}  // namespace roomcast::bench

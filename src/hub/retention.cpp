#include "hub/retention.h"

#include <algorithm>

namespace roomcast::hub {

namespace {

// What maps and deadlines take for a room, and the engine's record of it.
constexpr std::size_t room_overhead = 320;

// A source with more than a quarter of what is retained loses its own first.
constexpr std::size_t largest_share = 4;

constexpr std::size_t evicted_per_call = 16;
constexpr std::size_t evicted_per_slice = 256;

}  // namespace

std::size_t Retention::room_cost(std::string_view name) const {
  return room_object_bytes_ + room_overhead + 3 * name.size();
}

void Retention::add(Entry& room) {
  room_bytes_ += room_cost(room.name);
  kept_bytes_.add(0, room_cost(room.name));
  touch(room);
}

void Retention::keep(Entry& room, const Message& message) {
  room.history.append(message, clock_.monotonic_ms(), room.limits);
  touch(room);
  if (weight_of(message.source) > weight_of(heaviest_)) heaviest_ = message.source;
}

void Retention::touch(Entry& room) {
  room.touched_ms = clock_.monotonic_ms();
  put_in_list(room);
  if (room.list != Entry::List::none)
    (room.list == Entry::List::unused ? unused_rooms_ : rooms_with_messages_).push_back(room);
  if (room.source != 0) by_source_[room.source].push_back(room);
  // It can only have become due later: a trim that comes too early sets the deadline again.
  if (!room.due.is_set()) set_due(room);
}

void Retention::on_use_changed(Entry& room) {
  put_in_list(room);
  if (!room.due.is_set()) set_due(room);
}

void Retention::amend(Entry& room, const Amendment& amendment) {
  if (amendment.what == Amendment::What::cleared) {
    room.history.drop_up_to(amendment.message.position.offset);
  } else {
    room.history.amend(amendment);
    room.history.trim(clock_.monotonic_ms(), room.limits);  // it may be larger than before
  }
  put_in_list(room);
}

void Retention::clear_history(Entry& room) {
  room.history.clear();
  put_in_list(room);
}

void Retention::trim(Entry& room) {
  const std::int64_t now_ms = clock_.monotonic_ms();
  room.history.trim(now_ms, room.limits);
  put_in_list(room);
  const bool is_over = room.list == Entry::List::unused && room.use() == Subject::Use::none &&
                       now_ms - room.touched_ms >= room.limits.age_ms;
  if (is_over) return evict(room);
  set_due(room);
}

void Retention::set_due(Entry& room) {
  const bool has_history = !room.history.empty();
  // When its use ends on_use_changed sets it again.
  if (!has_history && room.use() != Subject::Use::none) return room.due.clear();
  const std::int64_t since_ms = has_history ? room.history.oldest_ms() : room.touched_ms;
  const std::int64_t due_ms = since_ms + room.limits.age_ms;
  room.due.set_in(std::max<std::int64_t>(due_ms - clock_.monotonic_ms(), 0));
}

/// Puts the room into the list from which it is evicted; at the end, if it was not there before.
void Retention::put_in_list(Entry& room) {
  using List = Entry::List;
  put_with_source(room);
  List list = List::with_messages;
  if (room.history.empty()) list = room.use() == Subject::Use::in_use ? List::none : List::unused;
  if (list == room.list) return;
  if (room.list == List::unused) --unused_count_;
  if (list == List::unused) ++unused_count_;
  room.list = list;
  if (list == List::none) {
    room.base::Linked<InOrderOfUse>::unlink();
  } else {
    (list == List::unused ? unused_rooms_ : rooms_with_messages_).push_back(room);
  }
}

/// The same among the rooms whose oldest message has the same source.
void Retention::put_with_source(Entry& room) {
  const Source source = room.history.empty() ? Source{0} : room.history[0].source;
  if (source == room.source) return;
  const std::size_t cost = room_cost(room.name);
  if (room.source != 0) {
    room.base::Linked<InOrderOfSource>::unlink();
    const auto found = by_source_.find(room.source);
    if (found->second.empty()) by_source_.erase(found);
  }
  kept_bytes_.remove(room.source, cost);
  kept_bytes_.add(source, cost);
  room.source = source;
  if (source != 0) by_source_[source].push_back(room);
}

void Retention::keep_within(std::size_t limit_bytes) {
  for (std::size_t i = 0; i < evicted_per_call && bytes() > limit_bytes && evict_next(); ++i) {
  }
}

bool Retention::evict_some(std::size_t limit_bytes) {
  for (std::size_t i = 0; i < evicted_per_slice; ++i) {
    if (shed_rooms_ != 0 && !unused_rooms_.empty()) {
      --shed_rooms_;
      evict(*unused_rooms_.front());
    } else if (history_bytes() > shed_bytes_ && !rooms_with_messages_.empty()) {
      drop_oldest_message();
    } else {
      shed_rooms_ = 0;
      shed_bytes_ = std::numeric_limits<std::size_t>::max();
      if (bytes() <= limit_bytes || !evict_next()) return false;
    }
  }
  return true;
}

bool Retention::evict_next() {
  if (!unused_rooms_.empty()) {
    evict(*unused_rooms_.front());
  } else if (!rooms_with_messages_.empty()) {
    drop_oldest_message();
  } else {
    return false;
  }
  return true;
}

std::size_t Retention::shed_half() {
  if (unused_rooms_.empty() && rooms_with_messages_.empty()) return 0;
  const std::size_t before = bytes();
  shed_rooms_ = (unused_count_ + 1) / 2;
  shed_bytes_ = history_bytes() / 2;
  const std::size_t likely = shed_rooms_ * room_cost({}) + (history_bytes() - shed_bytes_);
  const bool has_more = evict_some(std::numeric_limits<std::size_t>::max());
  return has_more ? likely : before - bytes();
}

/// Drops the message that is evicted next. There is a room with messages.
void Retention::drop_oldest_message() {
  Entry* room = nullptr;
  const auto found = by_source_.find(heaviest_);
  if (found != by_source_.end() && weight_of(heaviest_) > bytes() / largest_share)
    room = found->second.front();
  if (room == nullptr) room = rooms_with_messages_.front();
  if (room == nullptr) return;
  room->history.drop_oldest();
  put_in_list(*room);
}

void Retention::evict(Entry& room) {
  room.base::Linked<InOrderOfUse>::unlink();
  --unused_count_;
  room_bytes_ -= room_cost(room.name);
  kept_bytes_.remove(room.source, room_cost(room.name));
  owner_.on_evicted(room.name);
}

}  // namespace roomcast::hub

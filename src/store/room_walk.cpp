#include "store/room_walk.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace roomcast::store {

namespace {

std::string words_for(std::uint64_t first, std::uint64_t last) {
  if (first == last) return "message " + std::to_string(first) + " is missing";
  return "messages " + std::to_string(first) + " to " + std::to_string(last) + " are missing";
}

std::string words_for(const ChunkExtent& extent) {
  return "chunk " + std::to_string(extent.id) + " (messages " + std::to_string(extent.first) + " to " +
         std::to_string(extent.last) + ")";
}

}  // namespace

RoomWalk::RoomWalk(RoomState state, StoreScan::Visitor& visitor, ProblemList& problems)
    : state_(std::move(state)), visitor_(visitor), problems_(problems), explained_(state_.row().holes) {}

void RoomWalk::add_tail(std::span<const std::string_view> records) {
  for (const std::string_view bytes : records) {
    RecordReader reader(bytes);
    const std::optional<Record> record = reader.next();
    if (!record) continue;
    if (record->type == Record::Type::hole && record->number > 0)
      explained_.push_back({static_cast<std::uint64_t>(record->number), record->offset});
    if (record->type == Record::Type::top && record->offset > state_.top())
      explained_.push_back({state_.top() + 1, record->offset});
    state_.add(std::span(&bytes, 1));
  }
}

void RoomWalk::begin(const std::string& name) {
  room_ = {state_.row().id, name, state_.row().epoch, state_.floor(), state_.top()};
  expected_ = room_.floor + 1;
  visitor_.on_room(room_);
}

void RoomWalk::walk_chunk(const ChunkExtent& extent, std::string_view records) {
  const ChunkContent content = read_chunk(extent, room_.id, records);
  if (content.is_damaged) {
    problems_.add("history.db: " + name_for_people() + ": " + words_for(extent) +
                  " is damaged: " + std::to_string(content.messages.size()) + " of its " +
                  std::to_string(extent.count) + " messages are whole");
    explained_.push_back({extent.first, extent.last});
  }
  for (const Record& message : content.messages)
    walk(message);
}

void RoomWalk::walk_unreadable(const ChunkExtent& extent, std::string_view why) {
  problems_.add(name_for_people() + ": " + words_for(extent) + " can't be read: " + std::string(why));
  explained_.push_back({extent.first, extent.last});
}

void RoomWalk::finish() {
  for (const Record& message : state_.messages())
    walk(message);
  if (expected_ <= room_.top) pass_gap(room_.top);
}

void RoomWalk::walk(const Record& message) {
  if (message.offset < expected_ || message.offset > room_.top) return;
  if (message.offset > expected_) pass_gap(message.offset - 1);
  expected_ = message.offset + 1;
  if (state_.amendments().find(message.offset) == nullptr) {
    visitor_.on_message(room_, message);
    return;
  }
  amended_.clear();
  append_amended(amended_, message, state_.amendments());
  RecordReader reader(amended_);
  if (const std::optional<Record> amended = reader.next()) visitor_.on_message(room_, *amended);
}

void RoomWalk::pass_gap(std::uint64_t last) {
  const hub::Hole gap{std::exchange(expected_, last + 1), last};
  // What no hole explains should be there.
  std::sort(explained_.begin(), explained_.end(),
            [](const hub::Hole& a, const hub::Hole& b) { return a.first < b.first; });
  std::uint64_t next = gap.first;
  for (const hub::Hole& hole : explained_) {
    if (hole.last < next) continue;
    if (hole.first > gap.last) break;
    if (hole.first > next) problems_.add(name_for_people() + ": " + words_for(next, hole.first - 1));
    next = hole.last + 1;
  }
  if (next <= gap.last) problems_.add(name_for_people() + ": " + words_for(next, gap.last));
  visitor_.on_hole(room_, gap);
}

}  // namespace roomcast::store

#include "store/room_state.h"

#include <algorithm>
#include <utility>

namespace roomcast::store {

RoomState::RoomState(RoomRow row, std::vector<ChunkExtent> chunks)
    : row_(std::move(row)), chunks_(std::move(chunks)) {}

void RoomState::add(std::span<const std::string_view> records) {
  for (const std::string_view bytes : records) {
    RecordReader reader(bytes, RecordReader::Checksums::known);
    if (const std::optional<Record> record = reader.next()) add(*record);
  }
}

void RoomState::add(const Record& record) {
  switch (record.type) {
    case Record::Type::message: {
      const std::uint64_t kept = std::max(chunks_end(), row_.floor);
      if (record.offset <= (messages_.empty() ? kept : messages_.back().offset)) return;
      cover(record.offset);
      messages_.push_back(record);
      return;
    }
    case Record::Type::room:
      if (!row_.name.empty()) return;
      row_.name = record.body;
      row_.epoch = static_cast<std::uint64_t>(record.number);
      return;
    case Record::Type::ceiling:
      row_.ceiling = std::max(row_.ceiling, record.offset);
      return;
    case Record::Type::top:
      if (record.offset > top()) {
        cover(record.offset + 1);
        row_.top = record.offset;
      }
      row_.ceiling = record.offset;
      return;
    case Record::Type::hole: {
      const hub::Hole hole{static_cast<std::uint64_t>(record.number), record.offset};
      if (hole.first == 0 || hole.first > hole.last) return;
      cover(hole.first);
      note_missing(hole);
      row_.top = std::max(row_.top, hole.last);
      return;
    }
    case Record::Type::removed:
    case Record::Type::replaced:
      amendments_.add(record);
      return;
    case Record::Type::cleared:
      row_.floor = std::max(row_.floor, record.offset);
      return;
    case Record::Type::value:
      return;
  }
}

/// The next message that is there is that at `offset`: what should be before it is missing.
void RoomState::cover(std::uint64_t offset) {
  const std::uint64_t before = top();
  if (offset > before + 1) note_missing({before + 1, offset - 1});
}

void RoomState::note_gaps(std::uint64_t first, std::uint64_t last, std::span<const Record> messages) {
  std::uint64_t expected = first;
  for (const Record& message : messages) {
    if (message.offset > expected) note_missing({expected, message.offset - 1});
    expected = message.offset + 1;
  }
  if (expected <= last) note_missing({expected, last});
}

std::uint64_t RoomState::top() const {
  const std::uint64_t end = messages_.empty() ? chunks_end() : messages_.back().offset;
  return std::max({row_.top, row_.floor, end});
}

std::uint64_t RoomState::ceiling() const { return std::max(row_.ceiling, top()); }

std::int64_t RoomState::last_ms() const {
  std::int64_t last = row_.last_ms;
  if (!chunks_.empty()) last = std::max(last, chunks_.back().newest_ms);
  if (!messages_.empty()) last = std::max(last, messages_.back().number);
  return last;
}

std::uint64_t RoomState::floor() const {
  return chunks_.empty() ? row_.floor : std::max(row_.floor, chunks_.front().first - 1);
}

RoomState::Floors RoomState::floors(const hub::HistoryLimits& limits, const AgeTime& now) const {
  const std::uint64_t physical = floor();
  Floors floors{physical, physical, physical, physical};
  floors.count = floor_by_count(physical, top(), row_.holes, limits.messages);
  floors.bytes = std::max(physical, floor_by_bytes(limits.bytes));
  if (now.may_delete) floors.age = std::max(physical, floor_by_age(limits.age_ms, now.now_ms));
  return floors;
}

std::uint64_t RoomState::floor_by_bytes(std::size_t bytes) const {
  std::uint64_t left = bytes;
  for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
    if (message->bytes.size() > left) return message->offset;
    left -= message->bytes.size();
  }
  for (auto chunk = chunks_.rbegin(); chunk != chunks_.rend(); ++chunk) {
    if (left == 0) return chunk->last;
    // Its last messages may fit.
    if (chunk->bytes > left) return chunk->first - 1;
    left -= chunk->bytes;
  }
  return 0;
}

std::uint64_t RoomState::floor_by_age(std::int64_t age_ms, std::int64_t now_ms) const {
  const std::int64_t newest_expired_ms = now_ms - age_ms;
  std::uint64_t floor = 0;
  for (const ChunkExtent& chunk : chunks_) {
    if (chunk.newest_ms > newest_expired_ms) return floor;
    floor = chunk.last;
  }
  for (const Record& message : messages_) {
    if (message.number > newest_expired_ms) break;
    floor = message.offset;
  }
  return floor;
}

}  // namespace roomcast::store

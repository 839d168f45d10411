#include "store/chunk.h"

#include <algorithm>
#include <utility>

namespace roomcast::store {

const Record* Amendments::find(std::uint64_t offset) const {
  const auto found = by_offset_.find(offset);
  return found == by_offset_.end() ? nullptr : &found->second;
}

bool Amendments::concerns(std::uint64_t first, std::uint64_t last) const {
  const auto found = by_offset_.lower_bound(first);
  return found != by_offset_.end() && found->first <= last;
}

void append_amended(std::string& out, const Record& message, const Amendments& amendments) {
  const Record* const amendment = amendments.find(message.offset);
  const std::optional<MessageBody> body =
      amendment == nullptr ? std::nullopt : read_message_body(message.body);
  if (!body || body->is_removed) {
    out.append(message.bytes);
    return;
  }
  const std::size_t from = out.size();
  if (amendment->type == Record::Type::removed) {
    append_removed_place(out, message.room, message.offset, message.number, body->key);
  } else {
    append_replacement(out, *amendment, message.number, body->key);
  }
  seal(out, from);
}

void ChunkPacker::add_amended(const Record& message, const Amendments& amendments) {
  if (chunks_.empty()) chunks_.emplace_back();
  std::string& records = chunks_.back().records;
  const std::size_t before = records.size();
  append_amended(records, message, amendments);
  if (before > 0 && records.size() > chunk_bytes) {
    std::string moved = records.substr(before);
    records.resize(before);
    chunks_.emplace_back().records = std::move(moved);
  }
  Chunk& chunk = chunks_.back();
  if (chunk.extent.count == 0) chunk.extent.first = message.offset;
  chunk.extent.last = message.offset;
  chunk.extent.newest_ms = message.number;
  ++chunk.extent.count;
  chunk.extent.bytes = chunk.records.size();
}

std::vector<Chunk> ChunkPacker::take() { return std::exchange(chunks_, {}); }

ChunkContent read_chunk(const ChunkExtent& extent, RoomId room, std::string_view records) {
  ChunkContent content;
  RecordReader reader(records);
  std::uint64_t after = extent.first - 1;
  do {
    while (const std::optional<Record> record = reader.next()) {
      const bool is_ours = record->type == Record::Type::message && record->room == room &&
                           record->offset > after && record->offset <= extent.last;
      if (!is_ours) continue;
      after = record->offset;
      content.messages.push_back(*record);
    }
  } while (reader.skip_damage());
  content.is_damaged = content.messages.size() != extent.count;
  return content;
}

}  // namespace roomcast::store

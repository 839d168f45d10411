#include "store/chunk.h"

#include <algorithm>
#include <utility>

namespace roomcast::store {

namespace {

template <class Number>
void put_le(std::string& out, std::size_t at, Number number) {
  for (std::size_t i = 0; i < sizeof(number); ++i)
    out[at + i] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
}

/// Where the length of the key is in the body of a message: behind kind, name and principal.
std::size_t key_at(const MessageBody& body) { return 1 + 2 + body.name.size() + 2 + body.principal.size(); }

/// The message `replacement` in the place of `message`, with its time, and its key if it has none itself.
void append_replaced(std::string& out, const Record& message, const MessageBody& before,
                     const Record& replacement) {
  const std::size_t from = out.size();
  out.append(replacement.bytes);
  out[from + Record::type_at] = static_cast<char>(Record::Type::message);
  put_le(out, from + Record::number_at, message.number);
  const std::optional<MessageBody> body = read_message_body(replacement.body);
  if (body && body->key.text.empty() && !before.key.text.empty()) {
    const std::size_t at = from + Record::head_bytes + key_at(*body);
    out[at] = static_cast<char>(before.key.text.size());
    const std::size_t key_begins = key_at(before) + 1;
    const std::size_t key_bytes = before.key.text.size() + before.key.digest.size();
    out.insert(at + 1, message.body.substr(key_begins, key_bytes));
    put_le(out, from + Record::length_at, static_cast<std::uint32_t>(out.size() - from - Record::type_at));
  }
  seal(out, from);
}

}  // namespace

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
  } else if (amendment->type == Record::Type::removed) {
    const std::size_t from = out.size();
    append_removed_place(out, message.room, message.offset, message.number, body->key);
    seal(out, from);
  } else {
    append_replaced(out, message, *body, *amendment);
  }
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

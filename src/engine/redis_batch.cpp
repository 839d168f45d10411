#include "engine/redis_batch.h"

#include <charconv>
#include <utility>

#include "store/record.h"

namespace roomcast::engine {

namespace {

using store::Record;

constexpr std::size_t batch_head_bytes = 1 + 8 + 8 + 2;
constexpr std::size_t origin_bytes = 8 + 2;

template <class Number>
void append_le(std::string& out, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    out.push_back(static_cast<char>((number >> (8 * i)) & 0xFFU));
}

template <class Number>
Number read_le(std::string_view bytes) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    number = static_cast<Number>(number | Number{static_cast<unsigned char>(bytes[i])} << (8 * i));
  return number;
}

template <class Number>
bool take_number(std::string_view& text, char end, int base, Number& number) {
  const std::size_t size = text.find(end);
  if (size == std::string_view::npos) return false;
  const auto [at, error] = std::from_chars(text.data(), text.data() + size, number, base);
  if (error != std::errc() || at != text.data() + size) return false;
  text.remove_prefix(size + 1);
  return true;
}

hub::Amendment amendment_of(const Record& record, std::optional<hub::Message>&& message) {
  const hub::Position about{0, record.offset};
  if (record.type == Record::Type::removed) return hub::Amendment::remove(about);
  if (record.type == Record::Type::cleared) return hub::Amendment::clear(about);
  message->position = about;
  return hub::Amendment::replace(std::move(*message));
}

std::optional<RedisBatch::Entry> entry_of(const Record& record) {
  const bool is_message = record.type == Record::Type::message;
  const bool has_body = is_message || record.type == Record::Type::replaced;
  if (!has_body && record.type != Record::Type::removed && record.type != Record::Type::cleared)
    return std::nullopt;
  std::optional<hub::Message> message;
  RedisBatch::Entry entry;
  if (has_body) {
    const std::optional<store::MessageBody> body = store::read_message_body(record.body);
    message = store::to_message(record, 0);
    if (!body || !message) return std::nullopt;
    entry.key = body->key.text;
    for (std::size_t i = 0; i < entry.digest.size() && !entry.key.empty(); ++i)
      entry.digest.at(i) = static_cast<char>(body->key.digest.at(i));
  }
  if (is_message) {
    entry.message = std::move(*message);
    return entry;
  }
  entry.message.is_removed = true;
  entry.message.time_ms = record.number;
  entry.amendment = amendment_of(record, std::move(message));
  return entry;
}

}  // namespace

bool RedisBatch::has_space_for(std::size_t payload_bytes) const {
  if (count_ == 0) return true;
  return count_ < messages_max && payload_bytes_ + payload_bytes <= bytes_max;
}

void RedisBatch::add(const hub::Message& message, const hub::DraftKey& key) {
  store::PublishKey kept{key.text()};
  for (std::size_t i = 0; i < kept.digest.size() && !key.empty(); ++i)
    kept.digest[i] = static_cast<unsigned char>(key.digest()[i]);
  hub::Message placeless = message;
  placeless.position = {};
  store::append_message(records_, 0, placeless, kept);
  append_le(origins_, message.sender);
  append_le(origins_, message.source);
  ++count_;
  payload_bytes_ += message.payload.size();
}

void RedisBatch::add(const hub::Amendment& amendment, std::int64_t time_ms) {
  const std::uint64_t about = amendment.message.position.offset;
  switch (amendment.what) {
    case hub::Amendment::What::removed:
      store::append_mark(records_, Record::Type::removed, 0, about, time_ms);
      break;
    case hub::Amendment::What::cleared:
      store::append_mark(records_, Record::Type::cleared, 0, 0, time_ms);
      break;
    case hub::Amendment::What::replaced: {
      hub::Message message = amendment.message;
      message.time_ms = time_ms;
      store::append_message(records_, 0, message, {}, Record::Type::replaced);
      break;
    }
  }
  origins_.append(origin_bytes, '\0');
  ++count_;
  payload_bytes_ += amendment.message.payload.size();
}

std::string RedisBatch::encode() const {
  std::string bytes;
  bytes.reserve(batch_head_bytes + origins_.size() + records_.size());
  bytes.push_back(static_cast<char>(version));
  append_le(bytes, node_);
  append_le(bytes, sequence_);
  append_le(bytes, static_cast<std::uint16_t>(count_));
  bytes += origins_;
  const std::size_t records_at = bytes.size();
  bytes += records_;
  store::seal(bytes, records_at);
  return bytes;
}

std::optional<RedisBatch::Head> RedisBatch::read_head(std::string_view bytes) {
  if (bytes.size() < batch_head_bytes || static_cast<unsigned char>(bytes[0]) != version) return std::nullopt;
  const Head head{read_le<std::uint64_t>(bytes.substr(1)), read_le<std::uint64_t>(bytes.substr(1 + 8)),
                  read_le<std::uint16_t>(bytes.substr(1 + 8 + 8))};
  if (head.count == 0 || head.count > (bytes.size() - batch_head_bytes) / origin_bytes) return std::nullopt;
  return head;
}

std::string_view RedisBatch::why_unreadable(std::string_view bytes) {
  if (!bytes.empty() && static_cast<unsigned char>(bytes[0]) > version)
    return "it was written by a newer version of roomcast";
  return "it is damaged, or another program's";
}

std::optional<std::vector<RedisBatch::Entry>> RedisBatch::read(std::string_view bytes,
                                                               std::uint64_t own_node) {
  const std::optional<Head> head = read_head(bytes);
  if (!head) return std::nullopt;
  std::string_view origins = bytes.substr(batch_head_bytes, head->count * origin_bytes);
  store::RecordReader reader(bytes.substr(batch_head_bytes + origins.size()));
  std::vector<Entry> entries;
  while (const std::optional<Record> record = reader.next()) {
    if (entries.size() == head->count) return std::nullopt;
    std::optional<Entry> entry = entry_of(*record);
    if (!entry) return std::nullopt;
    if (head->node == own_node) {
      entry->message.sender = read_le<std::uint64_t>(origins);
      entry->message.source = read_le<hub::Source>(origins.substr(sizeof(std::uint64_t)));
    }
    origins.remove_prefix(origin_bytes);
    entries.push_back(std::move(*entry));
  }
  if (reader.is_damaged() || entries.size() != head->count) return std::nullopt;
  return entries;
}

std::optional<RedisPush> read_redis_push(std::string_view bytes) {
  constexpr int hexadecimal = 16;
  constexpr int decimal = 10;
  RedisPush push;
  if (!take_number(bytes, '-', hexadecimal, push.epoch)) return std::nullopt;
  if (!take_number(bytes, ':', decimal, push.first)) return std::nullopt;
  if (push.epoch == 0 || push.first == 0) return std::nullopt;
  push.batch = bytes;
  return push;
}

}  // namespace roomcast::engine

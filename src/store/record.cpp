#include "store/record.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace roomcast::store {

namespace {

constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t length_at = checksum_bytes;
constexpr std::size_t counted_at = length_at + 4;  // what the length counts begins here
constexpr std::size_t type_at = counted_at;
constexpr std::size_t room_at = type_at + 1;
constexpr std::size_t offset_at = room_at + 4;
constexpr std::size_t number_at = offset_at + 8;
static_assert(number_at + 8 == Record::head_bytes);

// The first byte of a message's body; the numbers are those of the files.
constexpr std::uint8_t text_kind = 0;
constexpr std::uint8_t json_kind = 1;
constexpr std::uint8_t binary_kind = 2;
constexpr std::uint8_t removed_place = 0x80;  // only a key may be behind it

/// What a damaged stretch may cost at most, in bytes that checksums are computed of: so many times its size.
constexpr std::size_t search_factor = 16;

template <std::unsigned_integral Number>
Number load_le(const char* from) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = static_cast<Number>(value |
                                static_cast<Number>(Number{static_cast<unsigned char>(from[i])} << (8 * i)));
  }
  return value;
}

template <std::unsigned_integral Number>
void save_le(char* to, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    to[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

std::uint32_t checksum_of(std::string_view record) {
  const std::string_view covered = record.substr(checksum_bytes);
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(covered.data()), covered.size()));
}

/// Writes into bytes that are there already.
class FieldWriter {
 public:
  explicit FieldWriter(char* to) : to_(to) {}

  template <std::unsigned_integral Number>
  void number(Number value) {
    save_le(to_, value);
    to_ += sizeof(Number);
  }
  void raw(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }
  template <std::unsigned_integral Count>
  void counted(std::string_view bytes) {
    assert(bytes.size() <= std::numeric_limits<Count>::max());
    number(static_cast<Count>(bytes.size()));
    raw(bytes);
  }
  [[nodiscard]] const char* at() const { return to_; }

 private:
  char* to_;
};

/// Reads fields from the front; once one does not fit, it has failed, and everything is 0 or empty.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}

  template <std::unsigned_integral Number>
  Number number() {
    const std::string_view field = raw(sizeof(Number));
    return has_failed_ ? Number{0} : load_le<Number>(field.data());
  }
  std::string_view raw(std::size_t size) {
    if (size > bytes_.size()) {
      has_failed_ = true;
      bytes_ = {};
      return {};
    }
    const std::string_view field = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return field;
  }
  template <std::unsigned_integral Count>
  std::string_view counted() {
    return raw(number<Count>());
  }
  [[nodiscard]] std::string_view rest() const { return bytes_; }
  [[nodiscard]] bool has_failed() const { return has_failed_; }

 private:
  std::string_view bytes_;
  bool has_failed_ = false;
};

struct RecordHead {
  Record::Type type;
  RoomId room;
  std::uint64_t offset;
  std::int64_t number;
};

/// Appends a record but for its body, and space for that.
FieldWriter append_head(std::string& out, const RecordHead& head, std::size_t body_bytes) {
  const std::size_t start = out.size();
  const std::size_t length = Record::head_bytes - counted_at + body_bytes;
  assert(length <= std::numeric_limits<std::uint32_t>::max());
  out.resize(start + Record::head_bytes + body_bytes);
  FieldWriter writer(out.data() + start + length_at);
  writer.number(static_cast<std::uint32_t>(length));
  writer.number(static_cast<std::uint8_t>(head.type));
  writer.number(head.room);
  writer.number(head.offset);
  writer.number(std::bit_cast<std::uint64_t>(head.number));
  return writer;
}

std::uint8_t number_of(hub::Kind kind) {
  switch (kind) {
    case hub::Kind::text:
      return text_kind;
    case hub::Kind::json:
      return json_kind;
    case hub::Kind::binary:
      return binary_kind;
  }
  return binary_kind;
}

std::optional<hub::Kind> kind_of(std::uint8_t number) {
  switch (number) {
    case text_kind:
      return hub::Kind::text;
    case json_kind:
      return hub::Kind::json;
    case binary_kind:
      return hub::Kind::binary;
    default:
      return std::nullopt;
  }
}

std::size_t bytes_of(const PublishKey& key) {
  return 1 + key.text.size() + (key.text.empty() ? 0 : key.digest.size());
}

void write_key(FieldWriter& writer, const PublishKey& key) {
  writer.counted<std::uint8_t>(key.text);
  if (!key.text.empty()) writer.raw({reinterpret_cast<const char*>(key.digest.data()), key.digest.size()});
}

PublishKey read_key(FieldReader& reader) {
  PublishKey key;
  key.text = reader.counted<std::uint8_t>();
  if (key.text.empty()) return key;
  const std::string_view digest = reader.raw(key.digest.size());
  std::copy(digest.begin(), digest.end(), key.digest.begin());
  return key;
}

std::size_t body_bytes_of(const hub::Message& message, const PublishKey& key) {
  std::size_t bytes = 1 + 2 + message.author.name().size() + 2 + message.author.principal().size();
  bytes += bytes_of(key) + 1 + message.labels.event().size() + 1;
  for (const hub::Tag& tag : message.labels.tags())
    bytes += 2 + tag.key.size() + 2 + tag.value.size();
  return bytes + message.payload.size();
}

void write_labels(FieldWriter& writer, const hub::Labels& labels) {
  writer.counted<std::uint8_t>(labels.event());
  static_assert(hub::Labels::tags_max <= std::numeric_limits<std::uint8_t>::max());
  writer.number(static_cast<std::uint8_t>(labels.tags().size()));
  for (const hub::Tag& tag : labels.tags()) {
    writer.counted<std::uint16_t>(tag.key);
    writer.counted<std::uint16_t>(tag.value);
  }
}

/// `labels` is what read_message_body has found: whole.
hub::Labels read_labels(std::string_view labels) {
  FieldReader reader(labels);
  const std::string_view event = reader.counted<std::uint8_t>();
  const std::size_t count = reader.number<std::uint8_t>();
  if (event.empty() && count == 0) return {};
  std::vector<hub::Tag> tags;
  tags.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view key = reader.counted<std::uint16_t>();
    tags.push_back({std::string(key), std::string(reader.counted<std::uint16_t>())});
  }
  return {event, std::move(tags)};
}

/// The size of the record that `bytes` begin with, by its length alone.
std::optional<std::size_t> size_of_record(std::string_view bytes) {
  if (bytes.size() < Record::head_bytes) return std::nullopt;
  const std::size_t size = counted_at + load_le<std::uint32_t>(bytes.data() + length_at);
  if (size < Record::head_bytes || size > bytes.size()) return std::nullopt;
  return size;
}

bool has_known_type(std::string_view record) {
  const auto type = static_cast<std::uint8_t>(record[type_at]);
  return type >= static_cast<std::uint8_t>(Record::Type::message) &&
         type <= static_cast<std::uint8_t>(Record::Type::value);
}

bool has_right_checksum(std::string_view record) {
  return load_le<std::uint32_t>(record.data()) == checksum_of(record);
}

}  // namespace

std::optional<MessageBody> read_message_body(std::string_view body) {
  FieldReader reader(body);
  MessageBody read;
  const auto kind = reader.number<std::uint8_t>();
  if (reader.has_failed()) return std::nullopt;
  if (kind == removed_place) {
    read.is_removed = true;
    if (reader.rest().empty()) return read;
    read.key = read_key(reader);
    const bool is_whole = !reader.has_failed() && reader.rest().empty() && !read.key.text.empty();
    return is_whole ? std::optional(read) : std::nullopt;
  }
  const auto known = kind_of(kind);
  if (!known) return std::nullopt;
  read.kind = *known;
  read.name = reader.counted<std::uint16_t>();
  read.principal = reader.counted<std::uint16_t>();
  read.key = read_key(reader);
  const std::string_view from_labels = reader.rest();
  (void)reader.counted<std::uint8_t>();
  const std::size_t tags = reader.number<std::uint8_t>();
  for (std::size_t i = 0; i < 2 * tags; ++i)
    (void)reader.counted<std::uint16_t>();
  if (reader.has_failed()) return std::nullopt;
  read.labels = from_labels.substr(0, from_labels.size() - reader.rest().size());
  read.payload = reader.rest();
  return read;
}

std::optional<hub::Message> to_message(const Record& record, std::uint64_t epoch) {
  if (record.type != Record::Type::message && record.type != Record::Type::replaced) return std::nullopt;
  const auto body = read_message_body(record.body);
  if (!body) return std::nullopt;
  hub::Message message;
  message.position = {epoch, record.offset};
  message.time_ms = record.number;
  message.is_removed = body->is_removed;
  if (body->is_removed) return message;
  message.kind = body->kind;
  message.payload = base::Bytes::copy_of(body->payload);
  message.author =
      body->principal.empty() ? hub::Author(body->name) : hub::Author(body->name, body->principal);
  message.labels = read_labels(body->labels);
  return message;
}

void append_message(std::string& out, RoomId room, const hub::Message& message, const PublishKey& key,
                    Record::Type type) {
  assert(type == Record::Type::message || type == Record::Type::replaced);
  if (message.is_removed) {
    append_removed_place(out, room, message.position.offset, message.time_ms, key);
    return;
  }
  FieldWriter writer =
      append_head(out, {type, room, message.position.offset, message.time_ms}, body_bytes_of(message, key));
  writer.number(number_of(message.kind));
  writer.counted<std::uint16_t>(message.author.name());
  writer.counted<std::uint16_t>(message.author.principal());
  write_key(writer, key);
  write_labels(writer, message.labels);
  writer.raw(message.payload.view());
  assert(writer.at() == out.data() + out.size());
}

void append_removed_place(std::string& out, RoomId room, std::uint64_t offset, std::int64_t time_ms,
                          const PublishKey& key) {
  const std::size_t key_bytes = key.text.empty() ? 0 : bytes_of(key);
  FieldWriter writer = append_head(out, {Record::Type::message, room, offset, time_ms}, 1 + key_bytes);
  writer.number(removed_place);
  if (!key.text.empty()) write_key(writer, key);
}

void append_replacement(std::string& out, const Record& replaced, std::int64_t time_ms,
                        const PublishKey& key) {
  const RecordHead head{Record::Type::message, replaced.room, replaced.offset, time_ms};
  const std::optional<MessageBody> body = read_message_body(replaced.body);
  if (!body || !body->key.text.empty() || key.text.empty()) {
    append_head(out, head, replaced.body.size()).raw(replaced.body);
    return;
  }
  const PublishKey none;
  FieldWriter writer = append_head(out, head, replaced.body.size() - bytes_of(none) + bytes_of(key));
  const std::size_t before_key = 1 + 2 + body->name.size() + 2 + body->principal.size();
  writer.raw(replaced.body.substr(0, before_key));
  write_key(writer, key);
  writer.raw(replaced.body.substr(before_key + bytes_of(none)));
}

void append_room(std::string& out, RoomId room, std::string_view name, std::uint64_t epoch) {
  const RecordHead head{Record::Type::room, room, 0, std::bit_cast<std::int64_t>(epoch)};
  append_head(out, head, name.size()).raw(name);
}

void append_mark(std::string& out, Record::Type type, RoomId room, std::uint64_t offset,
                 std::int64_t number) {
  append_head(out, {type, room, offset, number}, 0);
}

void append_value(std::string& out, std::string_view name, std::string_view value) {
  assert(name.find('\0') == std::string_view::npos);
  FieldWriter writer = append_head(out, {Record::Type::value, 0, 0, 0}, name.size() + 1 + value.size());
  writer.raw(name);
  writer.number(std::uint8_t{0});
  writer.raw(value);
}

std::size_t seal(std::string& records, std::size_t from) {
  std::size_t messages = 0;
  while (from < records.size()) {
    const std::size_t size = counted_at + load_le<std::uint32_t>(records.data() + from + length_at);
    assert(size >= Record::head_bytes && size <= records.size() - from);
    save_le(records.data() + from, checksum_of(std::string_view(records).substr(from, size)));
    if (static_cast<Record::Type>(records[from + type_at]) == Record::Type::message) ++messages;
    from += size;
  }
  return messages;
}

std::optional<Record> RecordReader::next() {
  if (is_damaged_ || position_ == bytes_.size()) return std::nullopt;
  const std::string_view rest = bytes_.substr(position_);
  const auto size = size_of_record(rest);
  const bool is_right = size && has_known_type(rest) &&
                        (checksums_ == Checksums::known || has_right_checksum(rest.substr(0, *size)));
  if (!is_right) {
    is_damaged_ = true;
    return std::nullopt;
  }
  Record record;
  record.bytes = rest.substr(0, *size);
  record.type = static_cast<Record::Type>(record.bytes[type_at]);
  record.room = load_le<std::uint32_t>(record.bytes.data() + room_at);
  record.offset = load_le<std::uint64_t>(record.bytes.data() + offset_at);
  record.number = std::bit_cast<std::int64_t>(load_le<std::uint64_t>(record.bytes.data() + number_at));
  record.body = record.bytes.substr(Record::head_bytes);
  position_ += *size;
  return record;
}

bool RecordReader::skip_damage() {
  if (!is_damaged_) return false;
  std::size_t budget = search_factor * (bytes_.size() - position_);
  const auto goes_on_at = [&](std::size_t position) {
    const std::string_view rest = bytes_.substr(position);
    const auto size = size_of_record(rest);
    if (!size || !has_known_type(rest)) return false;
    budget -= std::min(budget, *size);
    if (!has_right_checksum(rest.substr(0, *size))) return false;
    position_ = position;
    is_damaged_ = false;
    return true;
  };
  // What is damaged is most likely not the length. Then the body is not searched: clients decide what is in
  // it.
  if (const auto size = size_of_record(bytes_.substr(position_))) {
    if (position_ + *size == bytes_.size()) return false;
    if (goes_on_at(position_ + *size)) return true;
  }
  for (std::size_t position = position_ + 1; position < bytes_.size() && budget > 0; ++position) {
    if (goes_on_at(position)) return true;
  }
  return false;
}

}  // namespace roomcast::store

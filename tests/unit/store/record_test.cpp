#include "store/record.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace record_test {

using namespace roomcast;
using namespace std::string_view_literals;
using Type = store::Record::Type;

namespace {

hub::Message message(std::uint64_t offset, std::string_view payload, hub::Kind kind = hub::Kind::text) {
  return {kind, base::Bytes::copy_of(payload), hub::Author("ada"), 0, {7, offset}, 1'700'000'000'123};
}

std::string sealed_messages(std::size_t count) {
  std::string records;
  for (std::size_t i = 1; i <= count; ++i)
    store::append_message(records, 5, message(i, "message " + std::to_string(i)));
  store::seal(records);
  return records;
}

std::vector<store::Record> read_all(std::string_view bytes, bool& is_damaged) {
  std::vector<store::Record> records;
  store::RecordReader reader(bytes);
  while (const auto record = reader.next())
    records.push_back(*record);
  is_damaged = reader.is_damaged();
  return records;
}

std::vector<std::uint64_t> offsets_past_damage(std::string_view bytes) {
  std::vector<std::uint64_t> offsets;
  store::RecordReader reader(bytes);
  do {
    while (const auto record = reader.next())
      offsets.push_back(record->offset);
  } while (reader.skip_damage());
  return offsets;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[static_cast<unsigned char>(byte) >> 4U];
    text += digits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

}  // namespace

TEST_CASE("record: a message is read as it was written") {
  hub::Message written = message(42, "a\0b"sv, hub::Kind::binary);
  written.author = hub::Author("Ada L.", "user:ada");
  written.labels = hub::Labels("moved", {{"x", "1"}, {"", ""}});
  store::PublishKey key{"order-17"};
  for (std::size_t i = 0; i < key.digest.size(); ++i)
    key.digest[i] = static_cast<unsigned char>(0xf0 + i);
  std::string bytes;
  store::append_message(bytes, 0xfffffffe, written, key);
  store::seal(bytes);

  store::RecordReader reader(bytes);
  const auto record = reader.next();
  REQUIRE(record);
  CHECK(record->type == Type::message);
  CHECK(record->room == 0xfffffffe);
  CHECK(record->offset == 42);
  CHECK(record->number == 1'700'000'000'123);
  CHECK(record->bytes == bytes);
  CHECK(!reader.next());
  CHECK(!reader.is_damaged());
  CHECK(reader.position() == bytes.size());

  const auto body = store::read_message_body(record->body);
  REQUIRE(body);
  CHECK(body->kind == hub::Kind::binary);
  CHECK(body->name == "Ada L.");
  CHECK(body->principal == "user:ada");
  CHECK(body->key.text == "order-17");
  CHECK(body->key.digest == key.digest);
  CHECK(body->payload == "a\0b"sv);

  const auto read = store::to_message(*record, 7);
  REQUIRE(read);
  CHECK(read->kind == hub::Kind::binary);
  CHECK(read->payload.view() == "a\0b"sv);
  CHECK(read->author == written.author);
  CHECK(read->author.name() == "Ada L.");
  CHECK(read->position == hub::Position{7, 42});
  CHECK(read->time_ms == 1'700'000'000'123);
  CHECK(read->labels.event() == "moved");
  REQUIRE(read->labels.tags().size() == 2);
  CHECK(read->labels.tags()[0].key == "x");
  CHECK(read->labels.tags()[0].value == "1");
  CHECK(read->labels.tags()[1].key.empty());
  CHECK(!read->is_removed);

  // Once more from what was read: not a byte is different.
  std::string again;
  store::append_message(again, 0xfffffffe, *read, body->key);
  store::seal(again);
  CHECK(again == bytes);
}

TEST_CASE("record: a message with nothing in it is read as such") {
  std::string bytes;
  store::append_message(bytes, 1, {hub::Kind::json, {}, {}, 0, {7, 1}, 0});
  store::seal(bytes);
  CHECK(bytes.size() == store::Record::head_bytes + 8);
  store::RecordReader reader(bytes);
  const auto record = reader.next();
  REQUIRE(record);
  const auto read = store::to_message(*record, 7);
  REQUIRE(read);
  CHECK(read->kind == hub::Kind::json);
  CHECK(read->author.empty());
  CHECK(read->labels.empty());
  CHECK(read->payload.empty());
}

TEST_CASE("record: the bytes on the disk stay what they are") {
  std::string bytes;
  hub::Message written = message(3, "hi", hub::Kind::json);
  written.labels = hub::Labels("e", {{"k", "v"}});
  store::append_message(bytes, 2, written);
  store::append_mark(bytes, Type::hole, 2, 9, 4);
  store::seal(bytes);
  // As computed by another program, with struct and zlib of Python.
  CHECK(hex(bytes) ==
        "3070b573"                                            // checksum
        "29000000010200000003000000000000007b68e5cf8b010000"  // length, type, room, offset, time
        "01030061646100000001650101006b"                      // json, name, principal, key, event, tags
        "0100766869"                                          // tag, payload
        "990232f115000000050200000009000000000000000400000000000000");
}

TEST_CASE("record: each of the other types is read as it was written") {
  std::string bytes;
  store::append_room(bytes, 9, "lobby", 0xfedcba9876543210);
  store::append_mark(bytes, Type::ceiling, 9, 1'048'576);
  store::append_mark(bytes, Type::top, 9, 12);
  store::append_mark(bytes, Type::hole, 9, 20, 13);
  store::append_mark(bytes, Type::removed, 9, 3, -1);
  store::append_mark(bytes, Type::cleared, 9, 8);
  store::append_message(bytes, 9, message(4, "instead"), {}, Type::replaced);
  store::append_value(bytes, "ban:ada", "until\0never"sv);
  store::append_removed_place(bytes, 9, 3, 5'000);
  store::seal(bytes);
  bool is_damaged = true;
  const auto records = read_all(bytes, is_damaged);
  CHECK(!is_damaged);
  REQUIRE(records.size() == 9);

  CHECK(records[0].type == Type::room);
  CHECK(records[0].body == "lobby");
  CHECK(static_cast<std::uint64_t>(records[0].number) == 0xfedcba9876543210);
  CHECK(records[1].type == Type::ceiling);
  CHECK(records[1].offset == 1'048'576);
  CHECK(records[2].type == Type::top);
  CHECK(records[2].offset == 12);
  CHECK(records[3].type == Type::hole);
  CHECK(records[3].number == 13);
  CHECK(records[3].offset == 20);
  CHECK(records[4].type == Type::removed);
  CHECK(records[4].number == -1);
  CHECK(records[5].type == Type::cleared);
  CHECK(records[6].type == Type::replaced);
  CHECK(store::to_message(records[6], 7)->payload.view() == "instead");
  CHECK(records[7].type == Type::value);
  CHECK(records[7].room == 0);
  CHECK(records[7].body == "ban:ada\0until\0never"sv);
  CHECK(records[8].type == Type::message);
  const auto place = store::to_message(records[8], 7);
  REQUIRE(place);
  CHECK(place->is_removed);
  CHECK(place->position.offset == 3);
  CHECK(place->time_ms == 5'000);
  CHECK(!store::to_message(records[0], 7));

  // A message that is removed is written as its place.
  std::string again;
  store::append_message(again, 9, *place);
  store::seal(again);
  CHECK(again == records[8].bytes);
}

TEST_CASE("record: the place of a removed message has its key, and nothing else") {
  store::PublishKey key{"order-17", {}};
  key.digest[15] = 0xee;
  std::string bytes;
  store::append_removed_place(bytes, 9, 3, 5'000, key);
  store::seal(bytes);
  const auto record = store::RecordReader(bytes).next();
  REQUIRE(record);
  const auto body = store::read_message_body(record->body);
  REQUIRE(body);
  CHECK(body->is_removed);
  CHECK(body->key.text == "order-17");
  CHECK(body->key.digest == key.digest);
  std::string again;
  store::append_message(again, 9, *store::to_message(*record, 7), body->key);
  store::seal(again);
  CHECK(again == bytes);
  // Less than a key, more than one, and an empty one.
  CHECK(!store::read_message_body(record->body.substr(0, record->body.size() - 1)));
  CHECK(!store::read_message_body(std::string(record->body) + "x"));
  CHECK(!store::read_message_body("\x80\0"sv));
  CHECK(store::read_message_body("\x80"sv));
}

TEST_CASE("record: seal leaves what is in front of where it begins") {
  std::string bytes;
  store::append_mark(bytes, Type::top, 1, 1);
  const std::size_t second = bytes.size();
  store::append_mark(bytes, Type::top, 1, 2);
  const std::string first = bytes.substr(0, second);
  store::seal(bytes, second);
  CHECK(bytes.substr(0, second) == first);
  CHECK(offsets_past_damage(std::string_view(bytes).substr(second)) == std::vector<std::uint64_t>{2});
}

TEST_CASE("record: any bit that is flipped is found, and costs its record only") {
  const std::string sound = sealed_messages(3);
  const std::size_t size = sound.size() / 3;
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::string damaged = sound;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    CAPTURE(bit);
    const std::size_t which = bit / 8 / size;
    bool is_damaged = false;
    CHECK(read_all(damaged, is_damaged).size() == which);
    CHECK(is_damaged);
    std::vector<std::uint64_t> expected{1, 2, 3};
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(which));
    CHECK(offsets_past_damage(damaged) == expected);
  }
}

TEST_CASE("record: a checksum that is known to be right is not looked at, lengths and types are") {
  std::string bytes;
  store::append_mark(bytes, store::Record::Type::top, 7, 3);
  store::append_mark(bytes, store::Record::Type::top, 7, 4);
  store::RecordReader unsealed(bytes, store::RecordReader::Checksums::known);
  CHECK(unsealed.next()->offset == 3);
  CHECK(unsealed.next()->offset == 4);
  CHECK(!unsealed.next());
  CHECK(!unsealed.is_damaged());
  CHECK(!store::RecordReader(bytes).next());
  const std::string_view cut = std::string_view(bytes).substr(0, store::Record::head_bytes - 1);
  CHECK(!store::RecordReader(cut, store::RecordReader::Checksums::known).next());
  bytes[8] = '\x7F';  // the type
  CHECK(!store::RecordReader(bytes, store::RecordReader::Checksums::known).next());
}

TEST_CASE("record: a cut is found wherever it is") {
  const std::string sound = sealed_messages(2);
  for (std::size_t size = 0; size <= sound.size(); ++size) {
    CAPTURE(size);
    // A copy of exactly that size: reading beyond it is detected.
    const std::vector<char> cut(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size));
    bool is_damaged = false;
    const auto records = read_all({cut.data(), cut.size()}, is_damaged);
    CHECK(records.size() == size / (sound.size() / 2));
    CHECK(is_damaged == (size % (sound.size() / 2) != 0));
  }
}

TEST_CASE("record: a type that is not known is damage, whatever its checksum") {
  std::string bytes;
  store::append_mark(bytes, static_cast<Type>(10), 1, 1);
  store::append_mark(bytes, static_cast<Type>(0), 1, 2);
  store::append_mark(bytes, Type::top, 1, 3);
  store::seal(bytes);
  bool is_damaged = false;
  CHECK(read_all(bytes, is_damaged).empty());
  CHECK(is_damaged);
  CHECK(offsets_past_damage(bytes) == std::vector<std::uint64_t>{3});
}

TEST_CASE("record: what a client sends is not taken for a record when the one around it is damaged") {
  std::string forged;
  store::append_mark(forged, Type::cleared, 5, 1'000);
  store::seal(forged);
  for (const bool is_last : {false, true}) {
    std::string bytes;
    store::append_message(bytes, 5, message(1, "x" + forged + "y"));
    if (!is_last) store::append_message(bytes, 5, message(2, "next"));
    store::seal(bytes);
    bytes[0] = static_cast<char>(bytes[0] ^ 1);
    CAPTURE(is_last);
    CHECK(offsets_past_damage(bytes) ==
          (is_last ? std::vector<std::uint64_t>{} : std::vector<std::uint64_t>{2}));
  }
}

TEST_CASE("record: bytes that all look like records are given up on") {
  // Each of them could be a record up to the end of 8 MiB: to compute all their checksums would take an hour.
  std::string bytes(std::size_t{8} << 20U, '\0');
  for (std::size_t i = 0; i + 4 < bytes.size(); i += 4) {
    bytes[i] = 1;
    bytes[i + 2] = 0x3f;
  }
  store::append_mark(bytes, Type::top, 1, 3);
  store::seal(bytes, bytes.size() - store::Record::head_bytes);
  store::RecordReader reader(bytes);
  CHECK(!reader.next());
  CHECK(!reader.skip_damage());
}

TEST_CASE("record: a body that ends in the middle of a field is none") {
  hub::Message written = message(1, "");
  written.author = hub::Author("ada", "user:ada");
  written.labels = hub::Labels("event", {{"key", "value"}});
  std::string bytes;
  store::append_message(bytes, 1, written, {"key", {}});
  const std::string_view body = std::string_view(bytes).substr(store::Record::head_bytes);
  REQUIRE(store::read_message_body(body));
  for (std::size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    const std::vector<char> cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(!store::read_message_body({cut.data(), cut.size()}));
  }
  CHECK(!store::read_message_body("\x03"));            // a kind that is not known
  CHECK(!store::read_message_body("\x80 something"));  // a removed message has nothing
}

}  // namespace record_test

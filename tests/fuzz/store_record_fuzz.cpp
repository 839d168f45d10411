#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "store/record.h"

using namespace roomcast;

namespace {

/// Whatever is read is written again as the same bytes.
void check_record(const store::Record& record) {
  FUZZ_CHECK(record.bytes.size() == store::Record::head_bytes + record.body.size());
  const auto message = store::to_message(record, 7);
  const auto body = store::read_message_body(record.body);
  const bool is_message =
      record.type == store::Record::Type::message || record.type == store::Record::Type::replaced;
  FUZZ_CHECK(message.has_value() == (is_message && body.has_value()));
  if (!message) return;
  FUZZ_CHECK(message->position.offset == record.offset && message->time_ms == record.number);
  FUZZ_CHECK(message->is_removed == body->is_removed);
  FUZZ_CHECK(message->payload.view() == body->payload);

  std::string again;
  store::append_message(again, record.room, *message, body->key, record.type);
  store::seal(again);
  store::RecordReader reader(again);
  const auto written = reader.next();
  FUZZ_CHECK(written && !reader.next() && !reader.is_damaged());
  // Names and tags that no server has written are made valid: the second time nothing changes.
  const auto second = store::to_message(*written, 7);
  FUZZ_CHECK(second);
  FUZZ_CHECK(second->payload.view() == message->payload.view() && second->kind == message->kind);
  FUZZ_CHECK(second->author == message->author);
  FUZZ_CHECK(second->labels.event() == message->labels.event());
  FUZZ_CHECK(second->labels.tags().size() == message->labels.tags().size());
  std::string third;
  store::append_message(third, record.room, *second, body->key, record.type);
  store::seal(third);
  FUZZ_CHECK(third == again);
}

/// Reads all records, past damage: they are in their order, without overlap.
void read_records(std::string_view bytes) {
  store::RecordReader reader(bytes);
  std::size_t end = 0;
  do {
    while (const auto record = reader.next()) {
      const auto start = static_cast<std::size_t>(record->bytes.data() - bytes.data());
      FUZZ_CHECK(start >= end && reader.position() == start + record->bytes.size());
      end = reader.position();
      check_record(*record);
    }
    FUZZ_CHECK(reader.is_damaged() || reader.position() == bytes.size());
  } while (reader.skip_damage());
}

}  // namespace

/// The input is read as records. It is also the body of one, and what is between two that are sound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is detected.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  read_records(bytes);

  std::string records;
  store::append_room(records, 1, bytes, 7);
  store::seal(records);
  store::Record body;
  body.body = std::string_view(records).substr(store::Record::head_bytes);
  body.bytes = records;
  check_record(body);

  std::string between;
  store::append_mark(between, store::Record::Type::top, 1, 1);
  store::seal(between);
  const std::size_t start = between.size();
  between += bytes;
  const std::size_t end = between.size();
  store::append_mark(between, store::Record::Type::top, 1, 2);
  store::seal(between, end);
  store::RecordReader reader(between);
  FUZZ_CHECK(reader.next());
  FUZZ_CHECK(reader.position() == start);
  read_records(between);
  return 0;
}

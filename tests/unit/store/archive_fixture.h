#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hub/room_settings.h"
#include "store/archive.h"
#include "store/archive_reader.h"
#include "support/temporary_directory.h"

namespace roomcast::test {

inline hub::RoomSettings keeping(std::size_t messages, std::size_t bytes, std::int64_t age_ms) {
  hub::RoomSettings settings{{messages, bytes, age_ms}, {0, 0}};
  settings.durability = hub::Durability::sync;
  return settings;
}

/// An archive and its reader on real files, with the tail that the journal would fill.
struct ArchiveFixture {
  static constexpr std::size_t plenty = 1'000'000'000;
  static constexpr std::int64_t minute_ms = 60'000;

  TemporaryDirectory directory;
  store::Tail tail;
  store::RoomsInUse in_use;
  hub::RoomRules rules{keeping(plenty, plenty, std::int64_t{365} * 24 * 60 * minute_ms)};
  store::Archive::Options options;
  std::optional<store::Archive> archive;
  std::optional<store::ArchiveReader> reader;
  std::uint64_t seq = 0;
  std::int64_t now_ms = 1'700'000'000'000;
  std::string batch;  // that is being filled

  explicit ArchiveFixture(std::uint64_t bytes_max = std::uint64_t{1} << 30U) {
    options.path = directory.file("history.db");
    options.new_store_id = "0123456789abcdef";
    options.bytes_max = bytes_max;
    open();
  }

  void open() {
    reader.reset();
    archive.reset();
    base::Result<store::Archive, store::Fault> opened = store::Archive::open(options, tail, in_use);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    archive = std::move(*opened);
    base::Result<store::ArchiveReader, store::Fault> reading =
        store::ArchiveReader::open({options.path}, tail, in_use);
    REQUIRE_MESSAGE(reading, (reading ? "" : reading.error().message));
    reader = std::move(*reading);
  }

  void create(store::RoomId room, std::string_view name) { store::append_room(batch, room, name, 70 + room); }
  void publish(store::RoomId room, std::uint64_t offset, std::string_view payload,
               const store::PublishKey& key = {}, store::Record::Type type = store::Record::Type::message) {
    const hub::Message message(hub::Kind::text, base::Bytes::copy_of(payload), hub::Author("ada"), 0,
                               {70 + std::uint64_t{room}, offset}, now_ms);
    store::append_message(batch, room, message, key, type);
  }
  void mark(store::Record::Type type, store::RoomId room, std::uint64_t offset, std::int64_t number = 0) {
    store::append_mark(batch, type, room, offset, number);
  }
  /// Into the tail, as a commit does.
  void commit() {
    if (batch.empty()) return;
    store::seal(batch);
    tail.add(++seq, std::exchange(batch, {}));
  }
  [[nodiscard]] store::AgeTime time() const { return {now_ms, true}; }
  store::Archive::Folded fold() {
    commit();
    const std::shared_ptr<const store::TailSegment> segment = tail.cut();
    if (segment == nullptr) return {};
    for (const auto& [name, room] : segment->rooms)
      in_use.mark_created(room);
    base::Result<store::Archive::Folded, store::Fault> folded = archive->fold(*segment, rules, time());
    REQUIRE_MESSAGE(folded, (folded ? "" : folded.error().message));
    tail.release_cut();
    return *folded;
  }
  store::Archive::Swept sweep() {
    base::Result<store::Archive::Swept, store::Fault> swept = archive->sweep(rules, time());
    REQUIRE_MESSAGE(swept, (swept ? "" : swept.error().message));
    return *swept;
  }
  void sweep_to_the_end() {
    archive->sweep_all();
    while (sweep().has_more) {
    }
  }

  store::ArchiveReader::Loaded load_all(std::string_view name) {
    base::Result<store::ArchiveReader::Loaded, store::Fault> loaded =
        reader->load(name, rules, time(), now_ms);
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message));
    return *loaded;
  }
  store::RoomExtent load(std::string_view name) { return load_all(name).extent; }
  store::ArchiveReader::Page read(store::RoomId room, std::string_view name, std::uint64_t after,
                                  std::size_t messages_max = 1'000, std::size_t bytes_max = plenty,
                                  std::size_t back = 0) {
    base::Result<store::ArchiveReader::Page, store::Fault> page =
        reader->read(room, name, after, messages_max, bytes_max, rules, time(), back);
    REQUIRE_MESSAGE(page, (page ? "" : page.error().message));
    return *page;
  }

  struct Read {
    std::uint64_t offset;
    std::string payload;  ///< "-": removed
    friend bool operator==(const Read&, const Read&) = default;
  };
  [[nodiscard]] static std::vector<Read> messages(std::string_view records) {
    std::vector<Read> messages;
    store::RecordReader reading(records);
    while (const std::optional<store::Record> record = reading.next()) {
      REQUIRE(record->type == store::Record::Type::message);
      const std::optional<store::MessageBody> body = store::read_message_body(record->body);
      REQUIRE(body);
      messages.push_back({record->offset, body->is_removed ? "-" : std::string(body->payload)});
    }
    REQUIRE(!reading.is_damaged());
    return messages;
  }
  /// Page by page.
  std::vector<Read> read_whole(store::RoomId room, std::string_view name, std::size_t messages_max = 1'000) {
    std::vector<Read> all;
    for (std::uint64_t after = 0;;) {
      const std::vector<Read> page = messages(read(room, name, after, messages_max).page.records);
      if (page.empty()) return all;
      all.insert(all.end(), page.begin(), page.end());
      after = page.back().offset;
    }
  }
};

}  // namespace roomcast::test

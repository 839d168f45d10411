// What commits, folds and reads does so on three threads, as in the server.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "unit/store/archive_fixture.h"

namespace archive_threads_test {

using namespace roomcast;
using test::ArchiveFixture;

namespace {

constexpr store::RoomId rooms = 5;
constexpr std::uint64_t kept = 50;
constexpr int batches = 400;

std::string name(store::RoomId room) { return "room" + std::to_string(room); }
std::string payload(store::RoomId room, std::uint64_t offset) {
  return std::to_string(room) + "/" + std::to_string(offset);
}

/// What the threads have found wrong: doctest's own macros are for one of them.
struct Faults {
  std::atomic<int> count{0};
  void expect(bool is_right) {
    if (!is_right) ++count;
  }
};

struct Fixture : ArchiveFixture {
  std::array<std::atomic<std::uint64_t>, rooms + 1> tops{};  // that are committed
  std::atomic<bool> is_over{false};
  Faults faults;
  std::uint64_t pages = 0;

  Fixture() { rules = hub::RoomRules(test::keeping(kept, plenty, 1'000 * minute_ms)); }

  void write() {
    std::array<std::uint64_t, rooms + 1> written{};
    for (int i = 0; i < batches; ++i) {
      for (store::RoomId room = 1; room <= rooms; ++room) {
        if (written[room] == 0) create(room, name(room));
        for (store::RoomId count = 0; count < room; ++count) {
          ++written[room];
          publish(room, written[room], payload(room, written[room]));
        }
      }
      commit();
      for (store::RoomId room = 1; room <= rooms; ++room)
        tops[room] = written[room];
    }
    is_over = true;
  }

  void keep_folding() {
    while (!is_over || tail.bytes() > 0) {
      const std::shared_ptr<const store::TailSegment> segment = tail.cut();
      if (segment == nullptr) continue;
      faults.expect(archive->fold(*segment, rules, time()).ok());
      tail.release_cut();
      faults.expect(archive->sweep(rules, time()).ok());
    }
  }

  void keep_reading() {
    for (bool is_last = false; !is_last;) {
      is_last = is_over;
      for (store::RoomId room = 1; room <= rooms; ++room) {
        const std::uint64_t top = tops[room];
        if (top > 0) read_page(room, top);
      }
    }
  }

  void read_page(store::RoomId room, std::uint64_t top) {
    const auto loaded = reader->load(name(room), rules, time(), now_ms);
    faults.expect(loaded && loaded->extent.top >= top && loaded->extent.top <= loaded->extent.floor + kept);
    const auto page = reader->read(room, name(room), 0, plenty, plenty, rules, time());
    faults.expect(page.ok());
    if (!page) return;
    std::uint64_t offset = page->page.floor;
    store::RecordReader records(page->page.records);
    while (const std::optional<store::Record> record = records.next()) {
      const std::optional<store::MessageBody> body = store::read_message_body(record->body);
      faults.expect(record->offset == ++offset && body && body->payload == payload(room, offset));
    }
    faults.expect(offset >= top);
    faults.expect(offset - page->page.floor == std::min(offset, kept));
    ++pages;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "archive: who reads while others commit and fold has everything, in order, once") {
  std::thread archivist([this] { keep_folding(); });
  std::thread reading([this] { keep_reading(); });
  write();
  archivist.join();
  reading.join();
  CHECK(faults.count == 0);
  CHECK(pages >= rooms);
  CHECK(archive->meta().messages <= rooms * (kept + 600));
  for (store::RoomId room = 1; room <= rooms; ++room)
    CHECK(load(name(room)).top == std::uint64_t{batches} * room);
}

}  // namespace archive_threads_test

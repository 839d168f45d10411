#include "store/store_scan.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "archive_fixture.h"
#include "store/journal.h"
#include "store/store_check.h"
#include "store/table_rows.h"

namespace store_scan_test {

using namespace roomcast;

namespace {

/// An archive with a journal, as a store that nobody uses.
struct ScanFixture : test::ArchiveFixture {
  /// Commits `batch` to the journal, without folding it.
  void append_to_journal(std::uint64_t number) {
    store::seal(batch);
    base::Result<store::Journal, store::Fault> journal =
        store::Journal::open({.path = directory.file("journal.db")});
    REQUIRE(journal);
    REQUIRE(!batch.empty());
    REQUIRE(!journal->append(number, std::exchange(batch, {})));
  }
  void end() {
    reader.reset();
    archive.reset();
  }
  [[nodiscard]] std::string path() const { return directory.file(""); }
};

/// What a scan gives, as a text: "name: 1=a 2- (3-4) 5=b".
struct Seen final : store::StoreScan::Visitor {
  std::string text;
  void on_room(const store::StoreScan::Room& room) override {
    text += (text.empty() ? "" : "; ") + room.name + ":";
  }
  void on_message(const store::StoreScan::Room& /*room*/, const store::Record& message) override {
    const auto body = store::read_message_body(message.body);
    REQUIRE(body);
    text +=
        " " + std::to_string(message.offset) + (body->is_removed ? "-" : "=" + std::string(body->payload));
  }
  void on_hole(const store::StoreScan::Room& /*room*/, const hub::Hole& hole) override {
    text += " (" + std::to_string(hole.first) + "-" + std::to_string(hole.last) + ")";
  }
};

struct Scanned {
  std::string text;
  std::vector<std::string> problems;
};
Scanned scan(const std::string& path, bool by_table) {
  auto opened = store::StoreScan::open({.directory = path, .by_table = by_table});
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
  Seen seen;
  (*opened)->visit(seen);
  return {seen.text, (*opened)->problems().texts()};
}

}  // namespace

TEST_CASE("scan: chunks, the journal, amendments and holes are one log") {
  ScanFixture store;
  store.create(1, "b");
  store.publish(1, 1, "one");
  store.publish(1, 2, "two");
  store.publish(1, 3, "three");
  store.fold();
  store.mark(store::Record::Type::removed, 1, 2);
  store.mark(store::Record::Type::hole, 1, 5, 4);
  store.publish(1, 6, "six");
  store.create(2, "a");
  store.publish(2, 1, "x");
  store.append_to_journal(2);
  store.end();
  for (const bool by_table : {false, true}) {
    const Scanned scanned = scan(store.path(), by_table);
    CHECK(scanned.text == "a: 1=x; b: 1=one 2- 3=three (4-5) 6=six");
    CHECK(scanned.problems.empty());
  }
}

TEST_CASE("scan: what no hole explains is a problem, and so is a batch that is missing") {
  ScanFixture store;
  store.create(1, "a");
  store.publish(1, 1, "one");
  store.fold();
  store.publish(1, 4, "four");
  store.append_to_journal(3);
  store.end();
  const Scanned scanned = scan(store.path(), false);
  CHECK(scanned.text == "a: 1=one (2-3) 4=four");
  REQUIRE(scanned.problems.size() == 2);
  CHECK(scanned.problems[0].find("journal.db: the batches 2 to 2 are missing") != std::string::npos);
  CHECK(scanned.problems[1] == "room \"a\": messages 2 to 3 are missing");
}

TEST_CASE("scan: pages that are not readable cost what is in them") {
  ScanFixture store;
  constexpr store::RoomId rooms = 400;
  for (store::RoomId room = 1; room <= rooms; ++room) {
    store.create(room, "room " + std::to_string(room));
    store.publish(room, 1, std::string(500, 'x') + std::to_string(room));
  }
  store.fold();
  store.create(rooms + 1, "in the journal");
  store.append_to_journal(2);
  REQUIRE(!store.archive->end());
  store.end();
  {
    // Nothing of the page is left.
    std::fstream file(store.directory.file("history.db"), std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes(std::size_t{4096} * 120, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.clear();
    const std::size_t page = bytes.find(std::string(500, 'x') + "200") / 4096;
    REQUIRE(page > 2);
    REQUIRE(page < 120);
    file.seekp(static_cast<std::streamoff>(page * 4096));
    file.write(std::string(4096, '\x55').data(), 4096);
  }
  const Scanned scanned = scan(store.path(), true);
  CHECK(!scanned.problems.empty());
  std::size_t found = 0;
  for (std::size_t at = scanned.text.find("1=x"); at != std::string::npos;
       at = scanned.text.find("1=x", at + 1))
    ++found;
  CHECK(found >= rooms - 10);
  CHECK(found < rooms);
  const auto report = store::check_store(store.path());
  REQUIRE(report);
  CHECK(report->problems.count() > 0);
}

}  // namespace store_scan_test

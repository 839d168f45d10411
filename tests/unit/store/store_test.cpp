#include "store/store.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.h"
#include "store/database.h"
#include "store/journal.h"
#include "store/record.h"
#include "support/captured_stderr.h"
#include "support/loop_fixture.h"
#include "support/temporary_directory.h"

namespace store_test {

using namespace roomcast;

namespace {

hub::RoomRules generous_rules() {
  hub::RoomSettings settings{{10'000, std::size_t{64} << 20U, 86'400'000}, {0, 100}, hub::Durability::sync};
  return hub::RoomRules(settings);
}

/// How often this process has the file open.
std::size_t times_open(const std::string& path) {
  std::size_t times = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone) == path) ++times;
  }
  return times;
}

struct Extents {
  std::map<std::string, store::RoomExtent> loaded;
  std::map<std::uint64_t, store::RecordPage> pages;
  std::vector<hub::Refusal::Code> refusals;
};

struct Fixture : test::LoopFixture, store::RoomStore::Listener, Extents {
  test::TemporaryDirectory scratch;
  test::CapturedStderr captured;  // before the log, which keeps what standard error is at its beginning
  base::Log log{base::LogLevel::info, base::LogFormat::text};
  store::StoreOptions options;
  std::unique_ptr<store::Store> store;
  std::uint64_t committed = 0;
  std::vector<store::State> states;
  std::size_t answers = 0;  // to load

  Fixture() { options.path = scratch.file("store"); }

  [[nodiscard]] std::string error() {
    auto opened = store::Store::open({loop, turn, log}, options, generous_rules());
    return opened ? "" : opened.error().message;
  }
  void open() {
    committed = 0;
    auto opened = store::Store::open({loop, turn, log}, options, generous_rules());
    if (!opened) FAIL(opened.error().message);
    store = std::move(*opened);
    store->start(*this);
  }
  /// As after kill -9, but for what the system has not written.
  void crash() { store.reset(); }
  void stop() {
    CHECK(store->stop({10'000, 10'000}) == store::Store::Stopped::committed);
    store.reset();
  }

  store::RoomExtent load(const std::string& room) {
    loaded.erase(room);
    store->load(room, 0);
    REQUIRE(run_until([&] { return loaded.contains(room); }));
    return loaded[room];
  }
  store::RoomId create(const std::string& room) {
    const store::RoomExtent extent = load(room);
    CHECK(!extent.is_written);
    const store::RoomId id = store->next_room_id();
    store::append_room(store->batch(), id, room, extent.epoch);
    store->appended();
    return id;
  }
  void publish(store::RoomId room, std::uint64_t offset, const std::string& payload) {
    store::append_message(
        store->batch(), room,
        {hub::Kind::text, base::Bytes::copy_of(payload), hub::Author("ada"), 0, {1, offset}, loop.wall_ms()});
    store->appended();
  }
  void commit() {
    if (store->batch().empty() && store->queued_bytes() == 0) return;
    const std::uint64_t last = store->batch().empty() ? store->batch_number() - 1 : store->batch_number();
    REQUIRE(run_until([&] { return committed >= last; }));
  }
  /// Opens a store that folds whatever it is given, and has folded the room.
  store::RoomId create_in_history(const std::string& room) {
    options.fold_bytes = 20;  // less than any record
    open();
    const store::RoomId id = create(room);
    commit();
    REQUIRE(run_until([&] { return store->stats().folds.count == 1; }));
    return id;
  }
  /// "offset payload" of a page.
  std::vector<std::string> read(store::RoomId room, const std::string& name, std::uint64_t after,
                                std::size_t most = 1'000) {
    pages.erase(9);
    store->read(room, name, after, 0, most, 131'072, 9);
    REQUIRE(run_until([&] { return pages.contains(9); }));
    std::vector<std::string> found;
    store::RecordReader reader(pages[9].records);
    while (const auto record = reader.next()) {
      const auto body = store::read_message_body(record->body);
      REQUIRE(body);
      found.push_back(std::to_string(record->offset) + " " + std::string(body->payload));
    }
    return found;
  }

  void on_committed(store::RoomStore::BatchNumber batch) override {
    CHECK(batch == committed + 1 + (committed == 0 ? batch - 1 : 0));
    committed = batch;
  }
  void on_loaded(std::string_view room, base::Result<store::RoomExtent, hub::Refusal>&& extent) override {
    ++answers;
    if (extent) {
      loaded.insert_or_assign(std::string(room), *extent);
    } else {
      refusals.push_back(extent.error().code);
    }
  }
  void on_read(std::uint64_t ticket, base::Result<store::RecordPage, hub::Refusal>&& page) override {
    if (page) {
      pages.insert_or_assign(ticket, *page);
    } else {
      refusals.push_back(page.error().code);
    }
  }
  void on_state(store::State state) override { states.push_back(state); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "store: what was committed is there after a crash, and after a clean stop") {
  open();
  const store::RoomId room = create("lobby");
  for (std::uint64_t i = 1; i <= 5; ++i)
    publish(room, i, "message " + std::to_string(i));
  commit();
  const std::uint64_t epoch = load("lobby").epoch;
  CHECK(load("lobby").top == 5);
  crash();

  open();
  store::RoomExtent extent = load("lobby");
  CHECK(extent.is_written);
  CHECK(extent.id == room);
  CHECK(extent.epoch == epoch);
  CHECK(extent.top == 5);
  CHECK(read(room, "lobby", 3) == std::vector<std::string>{"4 message 4", "5 message 5"});
  CHECK(store->next_room_id() > room);
  publish(room, 6, "message 6");
  stop();

  open();
  extent = load("lobby");
  CHECK(extent.epoch == epoch);
  CHECK(extent.top == 6);
  CHECK(read(room, "lobby", 4) == std::vector<std::string>{"5 message 5", "6 message 6"});
  CHECK(store->next_room_id() > room);
  CHECK(store->tail_bytes() == 0);  // folded at the stop
}

TEST_CASE_FIXTURE(Fixture, "store: a start goes on with a log that ends with a commit, and empties others") {
  const std::string wal = options.path + "/journal.db-wal";
  open();
  const store::RoomId room = create("lobby");
  for (std::uint64_t i = 1; i <= 3; ++i) {
    publish(room, i, "message");
    commit();
  }
  crash();
  const std::uintmax_t size = std::filesystem::file_size(wal);
  REQUIRE(size > 0);

  open();
  CHECK(std::filesystem::file_size(wal) == size);
  CHECK(load("lobby").top == 3);
  publish(room, 4, "message");
  commit();
  crash();
  CHECK(std::filesystem::file_size(wal) > size);  // behind the others

  std::filesystem::resize_file(wal, std::filesystem::file_size(wal) - 10);
  open();
  CHECK(std::filesystem::file_size(wal) == 0);
  CHECK(load("lobby").top == 3);
  crash();

  // Crash after crash it must not grow without end.
  options.disk_bytes = std::uint64_t{128} << 20U;
  {
    store::Database::Options file;
    file.path = options.path + "/journal.db";
    file.application_id = store::Journal::application_id;
    auto journal = store::Database::open(file);
    REQUIRE(journal.ok());
    REQUIRE(!journal->execute(
        "CREATE TABLE long(data); INSERT INTO long VALUES(zeroblob(14000000)); DROP TABLE long"));
  }
  REQUIRE(std::filesystem::file_size(wal) > 14'000'000);
  open();
  CHECK(std::filesystem::file_size(wal) == 0);
  CHECK(load("lobby").top == 3);
}

TEST_CASE_FIXTURE(Fixture, "store: the last room number is given, and none after it, over restarts too") {
  open();
  stop();
  {
    store::Database::Options how;
    how.path = options.path + "/history.db";
    how.application_id = store::Archive::application_id;
    auto database = store::Database::open(how);
    REQUIRE(database);
    const std::string sql =
        "UPDATE meta SET value=" + std::to_string(store::room_id_max) + " WHERE key='next_room'";
    CHECK(!database->execute(sql.c_str()));
  }
  open();
  CHECK(store->has_room_ids());
  const store::RoomId last = create("last");
  CHECK(last == store::room_id_max);
  CHECK(!store->has_room_ids());
  publish(last, 1, "message");
  commit();
  crash();
  open();
  CHECK(!store->has_room_ids());
  stop();
  open();
  CHECK(!store->has_room_ids());
  CHECK(read(last, "last", 0) == std::vector<std::string>{"1 message"});
}

TEST_CASE_FIXTURE(Fixture, "store: rooms never written keep their epoch over a clean stop, and no other") {
  open();
  const std::uint64_t epoch = load("quiet").epoch;
  CHECK(epoch != 0);
  CHECK(!load("quiet").is_written);
  stop();
  open();
  CHECK(load("quiet").epoch == epoch);
  crash();
  open();
  CHECK(load("quiet").epoch != epoch);
}

TEST_CASE_FIXTURE(Fixture, "store: folds move the tail to the history, and pages are the same") {
  options.fold_bytes = 64 * 1'024;
  open();
  const store::RoomId room = create("lobby");
  std::vector<std::string> expected;
  for (std::uint64_t i = 1; i <= 400; ++i) {
    const std::string payload = std::to_string(i) + std::string(1'000, 'x');
    publish(room, i, payload);
    if (i > 300) expected.push_back(std::to_string(i) + " " + payload);
    if (i % 20 == 0) commit();
  }
  CHECK(run_until([&] { return store->stats().folds.count >= 2; }));
  CHECK(store->tail_bytes() <= 2 * options.fold_bytes);
  std::vector<std::string> found;
  for (std::uint64_t after = 300; after < 400;) {
    const std::vector<std::string> page = read(room, "lobby", after);
    REQUIRE(!page.empty());
    found.insert(found.end(), page.begin(), page.end());
    after = 300 + found.size();
  }
  CHECK(found == expected);
  crash();
  open();
  CHECK(load("lobby").top == 400);
}

TEST_CASE_FIXTURE(Fixture, "store: what is asked for past the bound is refused, later") {
  open();
  const std::size_t asked = store::LoadQueue::waiting_max + 300;
  for (std::size_t i = 0; i < asked; ++i)
    store->load("room " + std::to_string(i), 1);
  // They are refused in the place of rooms of the source that asks for too many.
  store->load("other", 2);
  store->load("another", 3);
  CHECK(refusals.empty());
  CHECK(run_until([&] { return loaded.size() + refusals.size() == asked + 2; }));
  CHECK(!refusals.empty());
  CHECK(loaded.size() >= store::LoadQueue::waiting_max);
  CHECK(loaded.contains("other"));
  CHECK(loaded.contains("another"));
  CHECK(refusals.front() == hub::Refusal::Code::store_busy);
  loaded.clear();
  refusals.clear();
  for (std::uint64_t i = 0; i < 400; ++i)
    store->read(1, "other", 0, 0, 1, 1, i);
  CHECK(refusals.empty());
  CHECK(run_until([&] { return pages.size() + refusals.size() == 400; }));
  CHECK(pages.size() >= store::Lookups::reads_max);
  CHECK(!refusals.empty());
}

TEST_CASE_FIXTURE(Fixture, "store: a room that is asked for again before its answer is answered once") {
  open();
  const std::size_t rooms = store::LoadQueue::waiting_max + 100;
  for (std::size_t i = 0; i < rooms; ++i)
    store->load("room " + std::to_string(i), 1);
  // Some are being loaded, some wait, some are refused.
  for (std::size_t i = 0; i < rooms; i += 10)
    store->load("room " + std::to_string(i), 2);
  REQUIRE(run_until([&] { return answers >= rooms; }));
  // Whatever else was asked for is answered before it.
  CHECK(!load("last").is_written);
  CHECK(answers == rooms + 1);
}

TEST_CASE_FIXTURE(Fixture, "store: values are kept, the last one of each name") {
  open();
  CHECK(store->values().empty());
  CHECK(store->put_value("bans", "one"));
  CHECK(store->put_value("gone", "x"));
  commit();
  CHECK(store->put_value("bans", "two"));
  CHECK(store->put_value("gone", ""));
  commit();
  crash();
  for (int i = 0; i < 2; ++i) {
    open();
    REQUIRE(store->values().size() == 1);
    CHECK(store->values()[0].name == "bans");
    CHECK(store->values()[0].value == "two");
    stop();
  }
}

TEST_CASE_FIXTURE(Fixture, "store: it is told when values are on the disk") {
  struct Noting final : store::Store::ValueListener {
    void on_values_committed(store::RoomStore::BatchNumber batch) override { last = batch; }
    store::RoomStore::BatchNumber last = 0;
  } noting;
  open();
  store->set_value_listener(&noting);
  CHECK(store->put_value("a", "1"));
  const auto first = store->batch_number();
  CHECK(run_until([&] { return noting.last == first; }));
  // What is put while a commit is under way is in the next one.
  CHECK(store->put_value("a", "2"));
  loop.run_turn_without_waiting();
  CHECK(store->put_value("a", "3"));
  const auto last = store->batch_number();
  CHECK(last > first);
  CHECK(run_until([&] { return noting.last == last; }));
  // A commit without values tells nothing.
  noting.last = 0;
  store::append_mark(store->batch(), store::Record::Type::top, 1, 1);
  store->appended();
  commit();
  CHECK(noting.last == 0);
  crash();
  open();
  REQUIRE(store->values().size() == 1);
  CHECK(store->values()[0].value == "3");
}

TEST_CASE_FIXTURE(Fixture, "store: a second one in the same directory is refused") {
  open();
  CHECK(error() == "store.path: " + options.path + " is in use by process " + std::to_string(::getpid()) +
                       "; two servers cannot share a store");
}

TEST_CASE_FIXTURE(Fixture,
                  "store: files of a newer format are refused with a sentence, and stay as they are") {
  open();
  stop();
  for (const auto& [file, application_id] : std::map<std::string, std::uint32_t>{
           {"journal.db", store::Journal::application_id}, {"history.db", store::Archive::application_id}}) {
    CAPTURE(file);
    store::Database::Options how;
    how.path = options.path + "/" + file;
    how.application_id = application_id;
    const bool is_journal = file == "journal.db";
    {
      auto database = store::Database::open(how);
      REQUIRE(database.ok());
      REQUIRE(!database->execute(is_journal ? "PRAGMA user_version=7"
                                            : "UPDATE meta SET value=7 WHERE key='format'"));
    }
    const std::string message = error();
    CHECK(message.find(how.path) != std::string::npos);
    CHECK(message.find(is_journal ? "has format 7" : "format is 7") != std::string::npos);
    {
      auto database = store::Database::open(how);
      REQUIRE(database.ok());
      REQUIRE(!database->execute(is_journal ? "PRAGMA user_version=1"
                                            : "UPDATE meta SET value=1 WHERE key='format'"));
    }
  }
  CHECK(error().empty());
}

TEST_CASE_FIXTURE(Fixture, "store: a file that is no database stops the start, or is set aside") {
  open();
  const store::RoomId room = create("lobby");
  publish(room, 1, "message");
  commit();
  const std::uint64_t epoch = load("lobby").epoch;
  stop();
  { std::ofstream(options.path + "/journal.db") << std::string(8'192, 'x'); }
  const std::string message = error();
  CHECK(message.find("journal.db") != std::string::npos);
  CHECK(message.find("roomcast store check") != std::string::npos);

  options.sets_aside = true;
  open();
  CHECK(captured.text().find("corrupt-") != std::string::npos);
  CHECK(!load("lobby").is_written);
  CHECK(load("lobby").epoch != epoch);
  bool is_kept = false;
  for (const auto& entry : std::filesystem::directory_iterator(options.path))
    is_kept = is_kept || std::filesystem::exists(entry.path() / "history.db");
  CHECK(is_kept);
}

TEST_CASE_FIXTURE(Fixture, "store: a log that is damaged before its last commit stops the start") {
  open();
  const store::RoomId room = create("lobby");
  for (std::uint64_t i = 1; i <= 10; ++i) {
    publish(room, i, "message");
    commit();
  }
  crash();
  const std::string wal = options.path + "/journal.db-wal";
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(wal));
  REQUIRE(size > 0);
  {
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(size / 2);
    file.put('\xA5');
    file.put('\x5A');
  }
  const std::string message = error();
  CHECK(message.find("journal.db-wal") != std::string::npos);
  CHECK(message.find("roomcast store recover") != std::string::npos);
  CHECK(static_cast<std::streamoff>(std::filesystem::file_size(wal)) == size);  // as it was found
}

TEST_CASE_FIXTURE(Fixture, "store: three failures in a row are a state, which ends with the next commit") {
  open();
  const store::RoomId room = create("lobby");
  commit();
  CHECK(store->state() == store::State::ok);
  {
    store::Database::Options how;
    how.path = options.path + "/journal.db";
    how.application_id = store::Journal::application_id;
    auto blocker = store::Database::open(how);
    REQUIRE(blocker.ok());
    REQUIRE(!blocker->execute("BEGIN IMMEDIATE"));
    publish(room, 1, "message");
    CHECK(run_until([&] { return store->state() != store::State::ok; }));
    CHECK(store->stats().commit_errors == 3);
    CHECK(store->state() == store::State::failed);
    CHECK(read(room, "lobby", 0).empty());  // reading goes on
    REQUIRE(!blocker->execute("ROLLBACK"));
    commit();
  }
  CHECK(captured.text().find("state=failed") != std::string::npos);
  CHECK(states == std::vector<store::State>{store::State::failed, store::State::ok});
  CHECK(read(room, "lobby", 0) == std::vector<std::string>{"1 message"});
}

TEST_CASE_FIXTURE(Fixture, "store: after folds that failed the history is opened anew, and has everything") {
  const store::RoomId room = create_in_history("lobby");
  const std::string history = options.path + "/history.db";
  const std::size_t connections = times_open(history + "-wal");
  {
    store::Database::Options how;
    how.path = history;
    how.application_id = store::Archive::application_id;
    auto blocker = store::Database::open(how);
    REQUIRE(blocker.ok());
    REQUIRE(!blocker->execute("BEGIN IMMEDIATE; ALTER TABLE chunk RENAME TO hidden; COMMIT"));
    publish(room, 1, std::string(200, 'x'));
    REQUIRE(run_until([&] { return store->state() == store::State::failed; }));
    CHECK(store->stats().fold_errors == 3);
    CHECK(captured.text().find("history.db") != std::string::npos);
    CHECK(times_open(history + "-wal") == connections);  // this one is in the place of the archive's
    REQUIRE(!blocker->execute("BEGIN IMMEDIATE; ALTER TABLE hidden RENAME TO chunk; COMMIT"));
  }
  CHECK(run_until([&] { return store->state() == store::State::ok; }));
  CHECK(times_open(history + "-wal") == connections);
  CHECK(store->stats().messages == 1);
  CHECK(read(room, "lobby", 0).size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "store: another file in the place of the history is not taken for it") {
  const store::RoomId room = create_in_history("lobby");
  const std::string history = options.path + "/history.db";
  store::Database::Options how;
  how.path = history;
  how.application_id = store::Archive::application_id;
  {
    auto blocker = store::Database::open(how);
    REQUIRE(blocker.ok());
    REQUIRE(!blocker->execute("BEGIN IMMEDIATE; ALTER TABLE chunk RENAME TO hidden; COMMIT"));
    publish(room, 1, std::string(200, 'x'));
    REQUIRE(run_until([&] { return store->state() == store::State::failed; }));
  }
  for (const char* const end : {"", "-wal", "-shm"})
    std::filesystem::rename(history + end, history + end + ".old");
  CHECK(run_until([&] { return store->stats().fold_errors >= 5; }));
  CHECK(store->state() == store::State::failed);
  CHECK(store->stats().folds.count == 1);
  CHECK(!std::filesystem::exists(history));
}

TEST_CASE_FIXTURE(Fixture, "store: after an unclean stop the history is looked through") {
  options.fold_bytes = 100;
  const std::string is_whole = "it is whole";
  open();
  const store::RoomId room = create("lobby");
  for (std::uint64_t i = 1; i <= 40; ++i)
    publish(room, i, std::string(10'000, 'x'));
  commit();
  REQUIRE(run_until([&] { return store->stats().messages == 40; }));
  CHECK(captured.text().find(is_whole) == std::string::npos);
  crash();
  open();
  CHECK(run_until([&] { return captured.text().find(is_whole) != std::string::npos; }));
  CHECK(store->stats().check_errors == 0);
  stop();

  // A page in the middle, that nobody reads at the start.
  std::fstream file(options.path + "/history.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4'096 * 40);
  file << std::string(64, '\xee');
  file.close();
  open();  // after a clean stop nobody looks
  crash();
  open();
  CHECK(run_until([&] { return store->stats().check_errors == 1; }));
  CHECK(captured.text().find("is damaged") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "store: a directory that cannot be made names its path") {
  options.path = "/proc/roomcast-store";
  CHECK(error().find("store.path: cannot make the directory /proc/roomcast-store: ") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "store: over ends of both kinds nothing that was committed is missing, in any room") {
  std::minstd_rand random(20'261'130);
  options.fold_bytes = 8 * 1'024;
  options.commit_ms = 0;
  constexpr std::size_t rooms = 7;
  std::vector<std::string> names;
  std::vector<store::RoomId> ids(rooms, 0);
  std::vector<std::vector<std::string>> published(rooms);
  std::vector<std::size_t> kept(rooms, 0);  // of those, at least
  for (std::size_t i = 0; i < rooms; ++i)
    names.push_back("room " + std::to_string(i));

  std::uint64_t folds = 0;
  for (int round = 0; round < 25; ++round) {
    open();
    for (std::size_t i = 0; i < rooms; ++i) {
      const store::RoomExtent extent = load(names[i]);
      CHECK((extent.is_written || kept[i] == 0));
      CHECK(extent.top >= kept[i]);
      CHECK(extent.top <= published[i].size());
      if (!extent.is_written) {
        ids[i] = 0;
        published[i].clear();
        continue;
      }
      CHECK(extent.id == ids[i]);
      published[i].resize(extent.top);
      std::vector<std::string> found;
      while (found.size() < extent.top) {
        const std::vector<std::string> page = read(ids[i], names[i], found.size(), 50);
        REQUIRE(!page.empty());
        found.insert(found.end(), page.begin(), page.end());
      }
      CHECK(found == published[i]);
    }
    const std::size_t steps = 20 + random() % 100;
    for (std::size_t step = 0; step < steps; ++step) {
      const std::size_t i = random() % rooms;
      if (ids[i] == 0) ids[i] = create(names[i]);
      const std::uint64_t offset = published[i].size() + 1;
      const std::string payload(random() % 300, static_cast<char>('a' + random() % 26));
      publish(ids[i], offset, payload);
      published[i].push_back(std::to_string(offset) + " " + payload);
      if (random() % 8 == 0) run_idle_turns(1);
      if (random() % 16 == 0) {
        commit();
        for (std::size_t room = 0; room < rooms; ++room)
          kept[room] = published[room].size();
      }
    }
    folds += store->stats().folds.count;
    if (random() % 3 == 0) {
      stop();
      for (std::size_t room = 0; room < rooms; ++room)
        kept[room] = published[room].size();
    } else {
      crash();
    }
  }
  CHECK(folds > 0);
}

TEST_CASE_FIXTURE(Fixture, "store: the queue has a bound, and what is not committed at a stop is") {
  options.queue_bytes = 1'024;
  options.commit_ms = 1'000;
  open();
  const store::RoomId room = create("lobby");
  commit();
  CHECK(store->has_space_for(1'024));
  publish(room, 1, std::string(800, 'x'));
  CHECK(!store->has_space_for(800));
  CHECK(!store->put_value("name", std::string(800, 'x')));
  stop();
  open();
  CHECK(load("lobby").top == 1);
}

}  // namespace store_test

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "store/record.h"
#include "store/store.h"
#include "support/loop_fixture.h"
#include "support/temporary_directory.h"

namespace threads_test {

using namespace roomcast;

namespace {

constexpr std::uint32_t rooms = 8;

/// Publishes, loads and reads without ever waiting for the answer before it asks again, so that the three
/// threads work at the same time. The thread sanitizer looks at them (./dev test threads).
struct BusyStore : test::LoopFixture, store::RoomStore::Listener {
  test::TemporaryDirectory scratch;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  std::unique_ptr<store::Store> store;
  std::array<std::uint64_t, rooms> tops{};
  std::array<std::uint64_t, rooms> committed{};
  std::uint64_t last_batch = 0;
  std::uint64_t reads_done = 0;
  std::set<std::string> loading;  // each is answered once, however often it is asked for
  std::uint64_t messages_read = 0;
  std::uint64_t broken_pages = 0;
  std::uint64_t refusals = 0;

  static std::string name_of(std::uint32_t room) { return "room-" + std::to_string(room); }

  void open() {
    store::StoreOptions options;
    options.path = scratch.file("store");
    options.commit_ms = 0;
    options.fold_bytes = 8 * 1'024;
    const hub::RoomRules rules(
        {{10'000, std::size_t{64} << 20U, 86'400'000}, {0, 100}, hub::Durability::sync});
    auto opened = store::Store::open({loop, turn, log}, options, rules);
    if (!opened) FAIL(opened.error().message);
    store = std::move(*opened);
    store->start(*this);
    for (std::uint32_t room = 0; room < rooms; ++room) {
      store::append_room(store->batch(), room + 1, name_of(room), 1);
      store->appended();
    }
  }
  void publish(std::uint32_t room) {
    const std::string payload(200, 'x');
    store::append_message(
        store->batch(), room + 1,
        {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0, {1, ++tops[room]}, loop.wall_ms()});
    store->appended();
    last_batch = store->batch_number();
  }

  void on_committed(store::RoomStore::BatchNumber batch) override {
    if (batch >= last_batch) committed = tops;
  }
  void on_loaded(std::string_view room, base::Result<store::RoomExtent, hub::Refusal>&& extent) override {
    if (loading.erase(std::string(room)) == 0) ++refusals;
    if (!extent) ++refusals;
  }
  void on_read(std::uint64_t after, base::Result<store::RecordPage, hub::Refusal>&& page) override {
    ++reads_done;
    if (!page) {
      ++refusals;
      return;
    }
    store::RecordReader reader(page->records);
    while (const std::optional<store::Record> record = reader.next()) {
      if (record->offset != ++after) ++broken_pages;
      ++messages_read;
    }
    if (reader.is_damaged() || !page->holes.empty()) ++broken_pages;
  }
  void on_state(store::State /*state*/) override { ++refusals; }
};

}  // namespace

TEST_CASE_FIXTURE(BusyStore, "store threads: commits, folds, loads and reads at the same time") {
  open();
  std::uint64_t asked = 0;
  std::uint64_t turns = 0;
  const auto is_over = [&] {
    if (store->stats().folds.count >= 12 && turns > 300) return true;
    ++turns;
    for (int i = 0; i < 4; ++i)
      publish(static_cast<std::uint32_t>(turns % rooms));
    const auto room = static_cast<std::uint32_t>((turns * 5) % rooms);
    if (asked < reads_done + 8) {
      const std::uint64_t after = committed[room] > 20 ? committed[room] - 20 : 0;
      store->read(room + 1, name_of(room), after, 0, 100, 131'072, after);
      store->load(name_of(room), 0);
      loading.insert(name_of(room));
      ++asked;
    }
    return false;
  };
  REQUIRE(run_until(is_over, 60'000));
  REQUIRE(run_until([&] { return reads_done == asked && loading.empty(); }));
  CHECK(messages_read > 0);
  CHECK(broken_pages == 0);
  CHECK(refusals == 0);
  CHECK(store->stop({20'000, 60'000}) == store::Store::Stopped::committed);
}

}  // namespace threads_test

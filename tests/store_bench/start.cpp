#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <vector>

#include "store_bench/roomcast_store.h"
#include "store_bench/run.h"
#include "support/loop_fixture.h"

namespace roomcast::store_bench {

namespace {

constexpr std::size_t pages = 1'000;
constexpr std::size_t page_messages = 100;

class Committed final : public Subject::Listener {
 public:
  void on_committed(std::uint64_t batch) override { last = batch; }
  std::uint64_t last = 0;
};

void fill_store(std::uint64_t messages, std::uint32_t rooms, const std::string& directory) {
  test::LoopFixture fixture;
  Committed committed;
  RoomcastStore store({fixture.loop, fixture.turn, committed, directory});
  const base::Bytes payload = base::Bytes::copy_of(std::string(100, 'x'));
  std::vector<std::uint64_t> offsets(rooms, 0);
  std::mt19937_64 random(1);
  for (std::uint64_t sent = 0; sent < messages;) {
    for (int i = 0; i < 2'000 && sent < messages && store.has_space_for(payload.size() + 200); ++i, ++sent) {
      const auto room = static_cast<std::uint32_t>(random() % rooms);
      store.append(room, {hub::Kind::text, payload, {}, 0, {1, ++offsets[room]}, fixture.loop.wall_ms()});
    }
    if (store.has_space_for(payload.size() + 200)) {
      fixture.loop.run_turn_without_waiting();
    } else {
      fixture.loop.run_turn();
    }
  }
  const std::uint64_t last = store.batch_number() - (store.has_batch() ? 0 : 1);
  if (!fixture.run_until([&] { return committed.last >= last; }, 600'000)) fail("the store takes too long");
  // As if killed: what is in the journal stays there.
  ::_exit(0);
}

/// The kernel forgets what it has of the files in memory.
void make_cold(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

template <class Work>
double ms_of(const Work& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

double quantile_of(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(q * static_cast<double>(values.size() - 1)));
}

std::vector<double> start_store(std::uint32_t rooms, const std::string& directory) {
  test::LoopFixture fixture;
  Committed committed;
  std::unique_ptr<RoomcastStore> store;
  const double open_ms = ms_of([&] {
    store = std::make_unique<RoomcastStore>(Parts{fixture.loop, fixture.turn, committed, directory});
  });
  const double first_page_ms = ms_of([&] {
    const store::RoomExtent extent = store->load(rooms / 2);
    if (store->read(rooms / 2, extent.floor, page_messages) == 0) fail("the first page is empty");
  });
  std::vector<std::uint32_t> chosen(pages);
  std::mt19937_64 random(2);
  for (std::uint32_t& room : chosen)
    room = static_cast<std::uint32_t>(random() % rooms);
  std::vector<double> cold;
  std::vector<double> hot;
  for (std::vector<double>* times : {&cold, &hot}) {
    for (const std::uint32_t room : chosen)
      times->push_back(ms_of([&] { store->read(room, 0, page_messages); }));
  }
  return {open_ms, first_page_ms, quantile_of(cold, 0.5), quantile_of(cold, 0.99), quantile_of(hot, 0.99)};
}

}  // namespace

StartFigures run_start(std::uint64_t messages, std::uint32_t rooms, const std::string& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  (void)run_apart([&]() -> std::vector<double> {
    fill_store(messages, rooms, directory);
    return {};
  });
  double bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    bytes += static_cast<double>(entry.file_size());
  make_cold(directory);
  const std::vector<double> got = run_apart([&] { return start_store(rooms, directory); });
  std::filesystem::remove_all(directory);
  return {got.at(0), got.at(1), got.at(2), got.at(3), got.at(4), bytes / static_cast<double>(messages)};
}

}  // namespace roomcast::store_bench

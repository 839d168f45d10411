#include "store_bench/roomcast_store.h"

#include <limits>
#include <utility>

#include "store/record.h"

namespace roomcast::store_bench {

namespace {

constexpr std::uint64_t disk_bytes = std::uint64_t{8} << 30U;
constexpr std::int64_t stop_ms = 600'000;

}  // namespace

std::string room_name(std::uint32_t room) { return "room-" + std::to_string(room); }

hub::RoomRules bench_rules() {
  constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max() / 4;
  return hub::RoomRules(
      {{Subject::messages_kept, std::size_t{64} << 20U, for_ever}, {0, 100}, hub::Durability::sync});
}

RoomcastStore::RoomcastStore(const Parts& parts) : parts_(parts) {
  store::StoreOptions options;
  options.path = parts.directory;
  options.commit_ms = commit_ms;
  options.queue_bytes = queue_bytes;
  options.disk_bytes = disk_bytes;
  auto opened = store::Store::open({parts.loop, parts.turn, log_}, options, bench_rules());
  if (!opened) fail(opened.error().message);
  store_ = std::move(*opened);
  store_->start(*this);
}

RoomcastStore::~RoomcastStore() = default;

void RoomcastStore::append(std::uint32_t room, const hub::Message& message) {
  if (room >= is_created_.size()) is_created_.resize(room + 1, false);
  if (!is_created_[room]) {
    is_created_[room] = true;
    store::append_room(store_->batch(), room + 1, room_name(room), 1);
    store_->appended();
  }
  store::append_message(store_->batch(), room + 1, message);
  store_->appended();
}

void RoomcastStore::finish() {
  if (store_->stop({stop_ms, stop_ms}) != store::Store::Stopped::committed)
    fail("the store has not committed everything");
}

store::RoomExtent RoomcastStore::load(std::uint32_t room) {
  store_->load(room_name(room), 0);
  wait_for_answer();
  return extent_;
}

std::size_t RoomcastStore::read(std::uint32_t room, std::uint64_t after, std::size_t messages_max) {
  store_->read(room + 1, room_name(room), after, 0, messages_max, std::size_t{128} << 10U, 1);
  wait_for_answer();
  std::size_t count = 0;
  store::RecordReader reader(page_);
  while (reader.next())
    ++count;
  return count;
}

void RoomcastStore::wait_for_answer() {
  while (!std::exchange(has_answer_, false))
    parts_.loop.run_turn();
}

void RoomcastStore::on_committed(store::RoomStore::BatchNumber batch) { parts_.listener.on_committed(batch); }

void RoomcastStore::on_loaded(std::string_view /*room*/,
                              base::Result<store::RoomExtent, hub::Refusal>&& extent) {
  if (!extent) fail("a room cannot be loaded");
  extent_ = std::move(*extent);
  has_answer_ = true;
}

void RoomcastStore::on_read(std::uint64_t /*ticket*/, base::Result<store::RecordPage, hub::Refusal>&& page) {
  if (!page) fail("a page cannot be read");
  page_ = std::move(page->records);
  has_answer_ = true;
}

void RoomcastStore::on_state(store::State state) {
  if (state != store::State::ok) fail("the store has failed, or its disk is full");
}

std::unique_ptr<Subject> make_store(const Parts& parts) { return std::make_unique<RoomcastStore>(parts); }

}  // namespace roomcast::store_bench

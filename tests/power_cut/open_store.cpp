#include "power_cut/open_store.h"

#include <optional>
#include <stdexcept>
#include <utility>

#include "store/options.h"
#include "store/record.h"

namespace roomcast::power_cut {

namespace {

constexpr std::size_t kib = 1'024;
constexpr std::size_t page_messages = 1'000;

hub::RoomRules rules_without_bounds() {
  hub::RoomSettings settings{};
  settings.history = {1'000'000'000, std::size_t{1} << 40U, std::int64_t{100} * 365 * 86'400 * 1'000};
  settings.durability = hub::Durability::sync;
  return hub::RoomRules(settings);
}

}  // namespace

OpenStore::OpenStore(const std::string& directory)
    : log_(base::LogLevel::error, base::LogFormat::text), rules_(rules_without_bounds()) {
  store::StoreOptions options;
  options.path = directory;
  options.commit_ms = 0;
  options.fold_bytes = 192 * kib;
  // A twentieth of it is what a WAL may have before it is checkpointed.
  options.disk_bytes = 40'960 * kib;
  options.cache_bytes = 1'024 * kib;
  base::Result<std::unique_ptr<store::Store>> opened =
      store::Store::open({fixture_.loop, fixture_.turn, log_}, options, rules_);
  if (!opened) throw std::runtime_error(opened.error().message);
  store_ = std::move(*opened);
  store_->start(*this);
}

OpenStore::~OpenStore() = default;

void OpenStore::wait_until(const std::function<bool()>& done, const char* what) {
  if (!fixture_.run_until(done)) throw std::runtime_error(std::string("not within 20 s: ") + what);
  if (!refusal_.empty()) throw std::runtime_error(refusal_);
}

void OpenStore::wait_for_answers(const char* what) {
  wait_until([this] { return waiting_ == 0; }, what);
}

void OpenStore::on_loaded(std::string_view room, base::Result<store::RoomExtent, hub::Refusal>&& extent) {
  --waiting_;
  if (!extent) {
    refusal_ = extent.error().message;
    return;
  }
  for (std::size_t i = 0; i < extents_.size(); ++i) {
    if (Workload::room_name(i) == room) extents_[i] = *extent;
  }
}

const std::vector<store::RoomExtent>& OpenStore::load() {
  for (std::size_t room = 0; room < extents_.size(); ++room) {
    ++waiting_;
    store_->load(Workload::room_name(room), 0);
  }
  wait_for_answers("the rooms are loaded");
  return extents_;
}

void OpenStore::read(std::size_t room) {
  const store::RoomExtent& extent = extents_[room];
  if (!extent.is_written || read_upto_[room] >= extent.top) return;
  ++waiting_;
  store_->read(extent.id, Workload::room_name(room), read_upto_[room], 0, page_messages, 128 * kib, room);
}

void OpenStore::on_read(std::uint64_t ticket, base::Result<store::RecordPage, hub::Refusal>&& page) {
  --waiting_;
  if (!page) {
    refusal_ = page.error().message;
    return;
  }
  const std::size_t room = static_cast<std::size_t>(ticket);
  const std::uint64_t before = read_upto_[room];
  store::RecordReader reader(page->records);
  while (const std::optional<store::Record> record = reader.next()) {
    const std::optional<store::MessageBody> body = store::read_message_body(record->body);
    if (!body) refusal_ = "a record that is no message in " + Workload::room_name(room);
    if (body && !body->is_removed)
      content_.insert_or_assign({room, record->offset}, std::string(body->payload));
    read_upto_[room] = record->offset;
  }
  if (reader.is_damaged()) refusal_ = "a damaged page of " + Workload::room_name(room);
  if (read_upto_[room] > before) read(room);
}

Content OpenStore::content() {
  (void)load();
  content_.clear();
  for (std::size_t room = 0; room < extents_.size(); ++room)
    read_upto_[room] = extents_[room].floor;
  for (std::size_t room = 0; room < extents_.size(); ++room)
    read(room);
  wait_for_answers("the rooms are read");
  return std::exchange(content_, {});
}

}  // namespace roomcast::power_cut

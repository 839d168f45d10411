#include "store/tail.h"

#include <utility>

namespace roomcast::store {

void Tail::add(std::uint64_t seq, std::string&& records) {
  const auto batch = std::make_shared<const std::string>(std::move(records));
  std::vector<Record> found;
  RecordReader reader(*batch, RecordReader::Checksums::known);
  while (const std::optional<Record> record = reader.next())
    found.push_back(*record);

  const std::lock_guard lock(mutex_);
  for (const Record& record : found) {
    growing_->records[record.room].push_back(record.bytes);
    if (record.type == Record::Type::room) growing_->rooms[record.body] = record.room;
  }
  growing_->batches.push_back(batch);
  growing_->last_seq = seq;
  growing_->bytes += batch->size();
  bytes_.fetch_add(batch->size(), std::memory_order_relaxed);
}

std::shared_ptr<const TailSegment> Tail::cut() {
  const std::lock_guard lock(mutex_);
  if (cut_ == nullptr && !growing_->batches.empty())
    cut_ = std::exchange(growing_, std::make_shared<TailSegment>());
  return cut_;
}

void Tail::release_cut() {
  // Freed behind the lock.
  std::shared_ptr<const TailSegment> released;
  const std::lock_guard lock(mutex_);
  released.swap(cut_);
  if (released != nullptr) bytes_.fetch_sub(released->bytes, std::memory_order_relaxed);
}

TailRecords Tail::find(RoomId room) const {
  TailRecords found;
  const std::lock_guard lock(mutex_);
  for (const TailSegment* segment : {cut_.get(), static_cast<const TailSegment*>(growing_.get())}) {
    if (segment == nullptr) continue;
    const auto at = segment->records.find(room);
    if (at == segment->records.end()) continue;
    found.records.insert(found.records.end(), at->second.begin(), at->second.end());
  }
  if (found.records.empty()) return found;
  if (cut_ != nullptr) found.owners.emplace_back(cut_);
  found.owners.emplace_back(growing_);
  return found;
}

std::optional<RoomId> Tail::find_room(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const TailSegment* segment : {static_cast<const TailSegment*>(growing_.get()), cut_.get()}) {
    if (segment == nullptr) continue;
    const auto at = segment->rooms.find(name);
    if (at != segment->rooms.end()) return at->second;
  }
  return std::nullopt;
}

}  // namespace roomcast::store

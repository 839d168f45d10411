#include "engine/durable_log.h"

#include <algorithm>

namespace roomcast::engine {

using store::Record;

void DurableLog::open(const store::RoomExtent& extent) {
  id_ = extent.id;
  is_written_ = extent.is_written;
  epoch_ = extent.epoch;
  floor_ = extent.floor;
  last_time_ms_ = extent.last_time_ms;
  holes_ = extent.holes;
  top_ = opened_at_ = std::max(extent.top, extent.ceiling);
  ceiling_ = reserved_before_ = top_;
  // Recorded with the next records of the room; until then the ceiling says the same.
  unrecorded_from_ = extent.ceiling > extent.top ? extent.top + 1 : 0;
  learn(floor_, {});
}

hub::LogState DurableLog::state_at(std::uint64_t offset) const {
  hub::LogState state({epoch_, offset}, std::min(floor_, offset));
  state.holes = holes();
  return state;
}

std::vector<hub::Hole> DurableLog::holes() const {
  std::vector<hub::Hole> all = holes_;
  if (unrecorded_from_ != 0) all.push_back({unrecorded_from_, top_});
  return all;
}

bool DurableLog::is_missing(std::uint64_t offset) const {
  if (unrecorded_from_ != 0 && offset >= unrecorded_from_ && offset <= top_) return true;
  return std::any_of(holes_.begin(), holes_.end(),
                     [&](const hub::Hole& hole) { return hole.first <= offset && offset <= hole.last; });
}

void DurableLog::learn(std::uint64_t floor, const std::vector<hub::Hole>& holes) {
  floor_ = std::max(floor_, std::min(floor, top_));
  for (const hub::Hole& hole : holes) {
    if (hole.first <= hole.last && hole.last <= top_) add_hole(hole);
  }
  while (!holes_.empty() && (holes_.front().last <= floor_ || holes_.size() > holes_max)) {
    floor_ = std::max(floor_, holes_.front().last);
    holes_.erase(holes_.begin());
  }
}

/// Adds it in its place, joined with those that it touches.
void DurableLog::add_hole(const hub::Hole& hole) {
  hub::Hole joined = hole;
  const auto is_apart_before = [&](const hub::Hole& other) { return other.last + 1 < joined.first; };
  const auto begin = std::find_if_not(holes_.begin(), holes_.end(), is_apart_before);
  auto end = begin;
  for (; end != holes_.end() && end->first <= joined.last + 1; ++end)
    joined = {std::min(joined.first, end->first), std::max(joined.last, end->last)};
  holes_.insert(holes_.erase(begin, end), joined);
}

void DurableLog::clear_up_to(std::uint64_t offset) { learn(offset, {}); }

std::int64_t DurableLog::time_not_before_last(std::int64_t wall_ms) {
  last_time_ms_ = std::max(last_time_ms_, wall_ms);
  return last_time_ms_;
}

void DurableLog::begin_records(std::string& batch, BatchNumber number, std::string_view room) {
  if (number != last_.number) {
    before_last_ = last_;
    last_ = {number, top_, 0};
  }
  if (!is_written_) store::append_room(batch, id_, room, epoch_);
  is_written_ = true;
  if (unrecorded_from_ == 0) return;
  store::append_mark(batch, Record::Type::hole, id_, top_, static_cast<std::int64_t>(unrecorded_from_));
  add_hole({unrecorded_from_, top_});
  unrecorded_from_ = 0;
  learn(floor_, {});
}

void DurableLog::append(std::string& batch, const hub::Message& message, const store::PublishKey& key) {
  ++top_;
  store::append_message(batch, id_, message, key);
}

void DurableLog::leave_out() {
  ++top_;
  if (unrecorded_from_ == 0) unrecorded_from_ = top_;
}

void DurableLog::reserve(std::string& batch, BatchNumber number, BatchNumber committed) {
  reserved_before_ = reserved(committed);
  ceiling_ = top_ + reserved_offsets;
  reserving_batch_ = number;
  store::append_mark(batch, Record::Type::ceiling, id_, ceiling_);
}

void DurableLog::close(std::string& batch) {
  store::append_mark(batch, Record::Type::top, id_, top_);
  ceiling_ = reserved_before_ = top_;
}

std::size_t DurableLog::queued_bytes(BatchNumber committed) const {
  std::size_t bytes = 0;
  if (last_.number > committed) bytes += last_.bytes;
  if (before_last_.number > committed) bytes += before_last_.bytes;
  return bytes;
}

std::uint64_t DurableLog::kept_up_to(BatchNumber committed) const {
  if (last_.number <= committed) return top_;
  return before_last_.number <= committed ? last_.top_before : before_last_.top_before;
}

}  // namespace roomcast::engine

#include "store/retention.h"

#include <algorithm>
#include <cstdlib>

namespace roomcast::store {

AgeClock::AgeClock(std::int64_t wall_ms, std::int64_t monotonic_ms)
    : trusted_(wall_ms - monotonic_ms), seen_(trusted_), since_ms_(monotonic_ms) {}

AgeTime AgeClock::at(std::int64_t wall_ms, std::int64_t monotonic_ms) {
  const std::int64_t offset = wall_ms - monotonic_ms;
  if (std::abs(offset - seen_) > jump_ms) {
    ++jumps_;
    since_ms_ = monotonic_ms;
    is_apart_ = std::abs(offset - trusted_) > jump_ms;
  }
  seen_ = offset;
  const bool has_lasted = monotonic_ms - since_ms_ >= rest_ms;
  if (has_lasted) is_apart_ = false;
  if (!is_apart_) trusted_ = seen_;
  return {trusted_ + monotonic_ms, has_lasted};
}

std::uint64_t floor_by_count(std::uint64_t floor, std::uint64_t top, std::span<const hub::Hole> holes,
                             std::size_t messages) {
  std::uint64_t left = messages;
  std::uint64_t at = std::max(top, floor);
  for (auto hole = holes.rbegin(); hole != holes.rend() && left > 0 && hole->last > floor; ++hole) {
    const std::uint64_t above = at > hole->last ? at - hole->last : 0;
    if (above >= left) break;
    left -= above;
    at = std::min(at, hole->first - 1);
  }
  return at > floor && at - floor > left ? at - left : floor;
}

void add_hole(std::vector<hub::Hole>& holes, std::uint64_t& floor, const hub::Hole& hole) {
  if (hole.first > hole.last || hole.last <= floor) return;
  hub::Hole added{std::max(hole.first, floor + 1), hole.last};
  // Those that it touches become one with it.
  auto from = holes.begin();
  while (from != holes.end() && from->last + 1 < added.first)
    ++from;
  auto to = from;
  for (; to != holes.end() && to->first <= added.last + 1; ++to) {
    added.first = std::min(added.first, to->first);
    added.last = std::max(added.last, to->last);
  }
  holes.insert(holes.erase(from, to), added);
  while (holes.size() > holes_max) {
    floor = std::max(floor, holes.front().last);
    holes.erase(holes.begin());
  }
}

std::vector<hub::Hole> holes_after(std::uint64_t floor, std::span<const hub::Hole> holes) {
  std::vector<hub::Hole> after;
  for (const hub::Hole& hole : holes) {
    if (hole.last > floor) after.push_back({std::max(hole.first, floor + 1), hole.last});
  }
  return after;
}

DiskShares share_disk(std::uint64_t disk_bytes, std::uint64_t fold_bytes, std::uint64_t queue_bytes) {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
  const std::uint64_t unit = disk_bytes / 20;
  DiskShares shares;
  shares.fold_bytes = std::min(fold_bytes, unit);
  shares.queue_bytes = std::min(queue_bytes, unit);
  shares.journal_wal_bytes = std::min(48 * mib, unit);
  shares.history_wal_bytes = std::min(32 * mib, unit);
  // Rows of some kilobytes leave up to half of their pages empty.
  shares.journal_bytes = 2 * (2 * shares.fold_bytes + shares.queue_bytes);
  // What is committed after a WAL was found too long is one batch, or half of a WAL and one room of a fold.
  const std::uint64_t wals = shares.journal_wal_bytes + 2 * shares.queue_bytes +
                             2 * shares.history_wal_bytes + 2 * shares.fold_bytes;
  const std::uint64_t others = DiskShares::reserve_bytes + shares.journal_bytes + wals + mib;
  shares.history_bytes = disk_bytes > others + 4 * mib ? disk_bytes - others : 4 * mib;
  return shares;
}

void RoomsInUse::mark(RoomId room) { add(room, 1); }

void RoomsInUse::mark_created(RoomId room) {
  if (room >= first_created_) add(room, 1);
}

void RoomsInUse::release(RoomId room) { add(room, -1); }

bool RoomsInUse::has(RoomId room) const {
  const auto found = counts_.find(room);
  return found != counts_.end() && found->second > 0;
}

void RoomsInUse::add(RoomId room, int by) {
  const std::lock_guard lock(mutex_);
  int& count = counts_[room];
  count += by;
  if (count == 0) counts_.erase(room);
}

}  // namespace roomcast::store

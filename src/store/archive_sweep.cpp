#include <algorithm>
#include <unordered_map>
#include <utility>

#include "store/archive.h"

namespace roomcast::store {

namespace {

/// Rooms that are looked at, or chunks that are dropped, in one transaction.
constexpr std::size_t slice_max = 500;
/// Room numbers that are looked at for rooms without anything in one transaction, and transactions at a time.
constexpr RoomId purge_slice = 5'000;
constexpr int purge_slices_max = 20;

/// The rooms whose numbers are the rows of a statement that is bound.
base::Result<std::vector<RoomId>, Fault> rooms_of(Statement& statement) {
  std::vector<RoomId> rooms;
  while (true) {
    const base::Result<bool, Fault> has_row = statement.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return rooms;
    rooms.push_back(static_cast<RoomId>(statement.number(0)));
  }
}

}  // namespace

base::Result<Archive::Swept, Fault> Archive::sweep(const hub::RoomRules& rules, const AgeTime& now) {
  Swept swept;
  if (!now.may_delete) return swept;
  if (std::optional<Fault> fault = checkpoint_if_due()) return std::move(*fault);
  base::Result<std::vector<RoomId>, Fault> rooms = rooms_to_sweep(now);
  if (!rooms) return std::move(rooms.error());
  if (rooms->empty()) return swept;
  base::Result<Work, Fault> work = begin_work();
  if (!work) return std::move(work.error());
  // Nobody begins to use a room from here until its row is gone.
  const std::unique_lock<std::mutex> lock = in_use_->lock();
  std::optional<RoomId> next = next_swept_;
  for (const RoomId room : *rooms) {
    if (work->tally.chunks_dropped >= slice_max) break;
    if (std::optional<Fault> fault = sweep_room(*work, room, rules, now)) return std::move(*fault);
    if (next) next = work->tally.chunks_dropped >= slice_max ? room : room + 1;
  }
  swept.purged = static_cast<std::size_t>(-work->tally.rooms);
  if (swept.purged > 0) ++work->meta.generation;
  if (next && rooms->size() < slice_max && work->tally.chunks_dropped < slice_max) next.reset();
  if (std::optional<Fault> fault = commit(*work)) return std::move(*fault);
  swept.has_more = next_swept_ || rooms->size() == slice_max || work->tally.chunks_dropped >= slice_max;
  next_swept_ = next;
  return swept;
}

base::Result<std::vector<RoomId>, Fault> Archive::rooms_to_sweep(const AgeTime& now) {
  Statement& statement = next_swept_ ? parts_.rooms_from : parts_.due_rooms;
  statement.bind_number(1, next_swept_ ? std::int64_t{*next_swept_} : now.now_ms);
  statement.bind_number(2, slice_max);
  base::Result<std::vector<RoomId>, Fault> rooms = rooms_of(statement);
  if (rooms && rooms->empty()) next_swept_.reset();
  return rooms;
}

std::optional<Fault> Archive::sweep_room(Work& work, RoomId room, const hub::RoomRules& rules,
                                         const AgeTime& now) {
  base::Result<std::optional<RoomState>, Fault> state = find_room(room);
  if (!state) return std::move(state.error());
  if (!*state) return std::nullopt;
  RoomEdit edit(parts_.rows, parts_.writer, work.tally, std::move(**state), false);
  const hub::HistoryLimits& limits = rules.find(edit.state().row().name).history;
  if (std::optional<Fault> fault = edit.drop_below(edit.state().floors(limits, now), slice_max)) return fault;
  const bool is_idle =
      edit.state().chunks().empty() && edit.state().last_ms() + RoomEdit::idle_ms <= now.now_ms;
  if (is_idle && !in_use_->has(room) && tail_->find(room).records.empty()) {
    --work.tally.rooms;
    return parts_.writer.remove(room);
  }
  return edit.finish_swept(limits.age_ms, now.now_ms);
}

std::optional<Fault> Archive::make_space(std::uint64_t bytes) {
  const std::uint64_t high = options_.bytes_max / 100 * 90;
  const std::uint64_t low = options_.bytes_max / 100 * 85;
  base::Result<std::uint64_t, Fault> used = database_.used_bytes();
  if (!used) return std::move(used.error());
  if (*used + bytes <= high) return std::nullopt;
  for (int i = 0; i != purge_slices_max; ++i) {
    if (*used + bytes <= low) return std::nullopt;
    if (std::optional<Fault> fault = purge_some()) return fault;
    used = database_.used_bytes();
    if (!used) return std::move(used.error());
    if (next_purged_ == 1) break;
  }
  while (*used + bytes > low) {
    if (std::optional<Fault> fault = checkpoint_if_due()) return fault;
    const base::Result<bool, Fault> has_evicted = evict(*used + bytes - low);
    if (!has_evicted) return has_evicted.error();
    if (!*has_evicted) return std::nullopt;
    used = database_.used_bytes();
    if (!used) return std::move(used.error());
  }
  return std::nullopt;
}

std::optional<Fault> Archive::purge_some() {
  const RoomId end =
      next_purged_ + std::min(purge_slice, std::max(meta_.next_room, next_purged_) - next_purged_);
  Statement& statement = parts_.empty_rooms;
  statement.bind_number(1, next_purged_);
  statement.bind_number(2, end);
  const base::Result<std::vector<RoomId>, Fault> rooms = rooms_of(statement);
  if (!rooms) return rooms.error();
  next_purged_ = end >= meta_.next_room ? 1 : end;
  if (rooms->empty()) return std::nullopt;
  base::Result<Work, Fault> work = begin_work();
  if (!work) return std::move(work.error());
  // As in a sweep.
  const std::unique_lock<std::mutex> lock = in_use_->lock();
  for (const RoomId room : *rooms) {
    if (in_use_->has(room) || !tail_->find(room).records.empty()) continue;
    --work->tally.rooms;
    if (std::optional<Fault> fault = parts_.writer.remove(room)) return fault;
  }
  if (work->tally.rooms == 0) return std::nullopt;
  ++work->meta.generation;
  return commit(*work);
}

/// One slice of it: true if anything was there.
base::Result<bool, Fault> Archive::evict(std::uint64_t bytes) {
  // By room: up to which offset.
  std::unordered_map<RoomId, std::uint64_t> oldest;
  Statement& statement = parts_.oldest_chunks;
  statement.bind_number(1, slice_max);
  for (std::uint64_t freed = 0; freed < bytes;) {
    const base::Result<bool, Fault> has_row = statement.step();
    if (!has_row) return has_row.error();
    if (!*has_row) break;
    std::uint64_t& last = oldest[static_cast<RoomId>(statement.number(0))];
    last = std::max(last, static_cast<std::uint64_t>(statement.number(1)));
    freed += static_cast<std::uint64_t>(statement.number(2));
  }
  statement.reset();
  if (oldest.empty()) return false;
  base::Result<Work, Fault> work = begin_work();
  if (!work) return std::move(work.error());
  for (const auto& [room, last] : oldest) {
    base::Result<std::optional<RoomState>, Fault> state = find_room(room);
    if (!state) return std::move(state.error());
    if (!*state) continue;
    RoomEdit edit(parts_.rows, parts_.writer, work->tally, std::move(**state), false);
    if (std::optional<Fault> fault = edit.evict_up_to(last)) return std::move(*fault);
    if (std::optional<Fault> fault = edit.finish()) return std::move(*fault);
  }
  if (std::optional<Fault> fault = commit(*work)) return std::move(*fault);
  return work->tally.chunks_dropped > 0;
}

}  // namespace roomcast::store

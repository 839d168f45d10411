// What a log has lost with its server, and the servers that share it still have: they put it back, so that
// nobody is told of a gap.
#include <algorithm>
#include <utility>

#include "engine/redis.h"

namespace roomcast::engine {

namespace {

// What one call puts back.
constexpr std::size_t put_back_batches = 64;
constexpr std::size_t put_back_bytes = 262'144;
// What is missing is given up after so much more than the server says.
constexpr std::int64_t doubt_margin_ms = 1'000;
constexpr std::size_t doubts_per_call = 1'024;

/// With what the log has beside the batch itself: keys, and what is amended. Nothing if it can't be read.
std::optional<RedisPort::Restore::Batch> to_put_back(const RedisTails::Batch& kept) {
  const auto entries = RedisBatch::read(kept.bytes, 0);
  if (!entries) return std::nullopt;
  RedisPort::Restore::Batch batch{kept.bytes, kept.count};
  const RedisBatch::Entry& entry = entries->front();
  if (!entry.key.empty())
    batch.key = {std::string(entry.key), in_hexadecimal({entry.digest.data(), entry.digest.size()})};
  if (!entry.amendment) return batch;
  using What = hub::Amendment::What;
  const What what = entry.amendment->what;
  if (what == What::removed) batch.what = RedisPort::Amend::What::removed;
  if (what == What::replaced) batch.what = RedisPort::Amend::What::replaced;
  if (what == What::cleared) batch.what = RedisPort::Amend::What::cleared;
  batch.about = entry.amendment->message.position.offset;
  return batch;
}

}  // namespace

/// A batch of this server has its place. It may never come as a push, if the server that gave it the place is
/// gone.
void Redis::keep_own(Room& room, const RedisPublished& published, std::size_t count) {
  if (!room.is_known || room.lineage.has(published.last, room.top)) return;
  tails_.keep(room.tail, published.last, count, room.batch, parts_.clock.monotonic_ms());
  watch_time();
}

/// Whether the log, which may still get back what it has lost, lacks what this server knows of: then that is
/// put back, or waited for.
bool Redis::wait_for_rest(Room& room, const RedisLogState& state) {
  if (state.doubt_ms <= 0) {
    room.doubt_until_ms = 0;
    return false;
  }
  const bool has_all = state.lineage.has(room.top, state.top);
  if (has_all && !room.tail.goes_past(state.top)) return false;
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  if (room.doubt_until_ms == 0) {
    room.doubt_until_ms = now_ms + state.doubt_ms + doubt_margin_ms;
    room.restored_to = {};
  }
  if (now_ms >= room.doubt_until_ms) return false;
  if (put_back(room, state)) return true;
  // Others may have what is missing in between.
  stay_in_doubt(room, state.doubt_ms);
  return true;
}

/// Puts back what is kept here and follows the end of the log. False if there is nothing, or if that has been
/// tried.
bool Redis::put_back(Room& room, const RedisLogState& state) {
  if (room.restored_to == state.top) return false;
  RedisPort::Restore restore{room.name, state.top, {}, limits_of(room.name)};
  if (restore.limits.messages == 0) return false;
  std::size_t bytes = 0;
  std::uint64_t end = state.top.offset;
  for (const RedisTails::Batch& kept : room.tail.batches()) {
    if (kept.last.offset <= state.top.offset) continue;
    if (kept.last.epoch != state.top.epoch) continue;
    if (kept.first() != end + 1) break;
    if (restore.batches.size() == put_back_batches || bytes > put_back_bytes) break;
    std::optional<RedisPort::Restore::Batch> batch = to_put_back(kept);
    if (!batch) break;
    restore.batches.push_back(std::move(*batch));
    bytes += kept.bytes.size();
    end = kept.last.offset;
  }
  if (restore.batches.empty()) return false;
  if (!partitions_.at(room.partition).has_calls || !parts_.port.has_space_for(room.partition, bytes)) {
    stay_in_doubt(room, 1);
    return true;
  }
  room.restored_to = state.top;
  room.restore = ++last_call_;
  restores_.emplace(room.restore, &room);
  parts_.port.restore(room.restore, restore);
  return true;
}

void Redis::on_put_back(Room& room, const base::Result<RedisPublished, RedisFault>& outcome) {
  room.restore = 0;
  if (outcome) stats_.restored_messages += outcome->nodes;
  // Another attempt at the same place makes sense only if this one was not made.
  if (!outcome && outcome.error().code == RedisFault::Code::lost) room.restored_to = {};
  if (!room.is_subscribed) return erase_if_idle(room);
  need_sync(room);
}

void Redis::stay_in_doubt(Room& room, std::int64_t ms) {
  room.look_ms = parts_.clock.monotonic_ms() + ms;
  in_doubt_.push_back(room);
  watch_time();
}

/// Rooms whose logs may have got back what they had lost, or will not any more.
void Redis::look_at_doubts(std::int64_t now_ms) {
  const Room* first = nullptr;
  for (std::size_t i = 0; i < doubts_per_call && !in_doubt_.empty(); ++i) {
    Room& room = *in_doubt_.front();
    if (&room == first) return;
    if (now_ms >= room.look_ms) {
      need_sync(room);
      continue;
    }
    if (first == nullptr) first = &room;
    in_doubt_.push_back(room);
  }
}

}  // namespace roomcast::engine

// Idempotency keys: of messages that wait for the disk, of those whose publisher may have given up waiting,
// and of those that were published before the room was loaded. The hub knows all others.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/durable.h"

namespace roomcast::engine {

namespace {

constexpr hub::Refusal key_of_another{hub::Refusal::Code::key_reused,
                                      "that idempotency key belongs to another message"};
constexpr hub::Refusal too_many_keys{hub::Refusal::Code::store_busy,
                                     "too many idempotency keys wait for the disk: the message was not kept"};

bool is_same(const store::PublishKey::Digest& digest, std::string_view other) {
  return std::equal(digest.begin(), digest.end(), other.begin(), other.end(),
                    [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); });
}

}  // namespace

/// Whether the draft is dealt with: its key is known, or can't be remembered.
bool Durable::answer_repeat(Room& room, const hub::Draft& draft, hub::Ticket ticket) {
  const KeyTable::Key* const key = keys_.find(room.keys, draft.key.text(), parts_.clock.monotonic_ms());
  if (key == nullptr) {
    if (keys_.has_space_for(draft.key.text())) return false;
    refuse(ticket, too_many_keys);
    return true;
  }
  if (!is_same(key->digest, draft.key.digest())) {
    refuse(ticket, key_of_another);
    return true;
  }
  ++stats_.repeated;
  const hub::Position position{room.log.epoch(), key->offset};
  if (key->offset <= room.announced) {
    answer(ticket, hub::Published{position, room.log.kept_up_to(committed_) >= key->offset, true});
  } else if (order_.size() >= waiting_max) {
    refuse(ticket, too_many_keys);
  } else {
    const Room::Pending* const last = room.pending.back();
    const Batch before = last == nullptr ? 0 : last->batch;
    add_pending(room, Room::Pending::What::repeat, std::max(key->batch, before), ticket).message.position =
        position;
  }
  return true;
}

void Durable::load_keys(Room& room, const std::vector<store::KnownKey>& keys) {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  const std::int64_t wall_ms = parts_.clock.wall_ms();
  // The youngest first, in case that not all fit.
  for (auto known = keys.rbegin(); known != keys.rend(); ++known) {
    const std::int64_t age_ms = std::clamp<std::int64_t>(wall_ms - known->time_ms, 0, keep_key_ms);
    if (age_ms == keep_key_ms) continue;
    const KeyTable::Key key{known->digest, known->offset, 0, now_ms + keep_key_ms - age_ms};
    if (!keys_.add(room.keys, known->text, key)) break;
  }
  watch_time();
}

/// The message with that offset, which waits for the disk, has this key, for which there is space.
void Durable::remember_key(Room& room, const hub::DraftKey& key, std::uint64_t offset, Batch batch) {
  if (key.empty()) return;
  KeyTable::Key made;
  std::copy_n(key.digest().begin(), made.digest.size(), made.digest.begin());
  made.offset = offset;
  made.batch = batch;
  (void)keys_.add(room.keys, key.text(), made);
}

/// The message of that publish is announced. Its key is forgotten if the hub has got the outcome in time, and
/// so knows it itself.
void Durable::key_is_published(Room& room, const Room::Pending& pending) {
  if (pending.key.empty()) return;
  // The hub has deadlines of its own, and they may have been changed since.
  constexpr std::int64_t surely_in_time_ms = 250;
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  const std::int64_t took_ms = now_ms - pending.since_ms;
  const bool is_in_time = took_ms < std::min(surely_in_time_ms, limits_.ack_timeout_ms / 2);
  const bool is_known_to_hub = pending.ticket != 0 && is_in_time;
  keys_.end(room.keys, pending.key.text(), pending.message.position.offset,
            is_known_to_hub ? std::nullopt : std::optional(now_ms + keep_key_ms));
}

void Durable::drop_keys(Room& room) {
  if (room.keys.empty()) return;
  keys_.drop(room.keys);
  parts_.scheduler.mark_deferred(*this);
}

}  // namespace roomcast::engine

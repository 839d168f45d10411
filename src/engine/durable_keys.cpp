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

std::size_t bytes_of(std::string_view key) { return key.size() + DurableRoom::key_overhead; }

}  // namespace

/// Whether the draft is dealt with: its key is known, or can't be remembered.
bool Durable::answer_repeat(Room& room, const hub::Draft& draft, hub::Ticket ticket) {
  const std::string_view text = draft.key.text();
  if (room.keys) {
    const auto found = room.keys->find(text);
    const bool is_over = found != room.keys->end() && found->second.until_ms != 0 &&
                         found->second.until_ms <= parts_.clock.monotonic_ms();
    if (found != room.keys->end() && !is_over) {
      const Room::Key& key = found->second;
      if (!is_same(key.digest, draft.key.digest())) {
        refuse(ticket, key_of_another);
        return true;
      }
      ++stats_.repeated;
      const hub::Position position{room.log.epoch(), key.offset};
      if (key.offset <= room.announced) {
        answer(ticket, hub::Published{position, room.log.kept_up_to(committed_) >= key.offset, true});
      } else if (order_.size() >= waiting_max) {
        refuse(ticket, too_many_keys);
      } else {
        const Batch before = room.pending.empty() ? 0 : room.pending.back().batch;
        add_pending(room, Room::Pending::What::repeat, std::max(key.batch, before), ticket).message.position =
            position;
      }
      return true;
    }
    if (is_over) {
      key_bytes_ -= bytes_of(text);
      room.keys->erase(found);
    }
  }
  if (key_bytes_ + bytes_of(text) <= key_bytes_max) return false;
  refuse(ticket, too_many_keys);
  return true;
}

void Durable::load_keys(Room& room, const std::vector<store::KnownKey>& keys) {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  const std::int64_t wall_ms = parts_.clock.wall_ms();
  // The youngest first, in case that not all fit.
  for (auto known = keys.rbegin(); known != keys.rend(); ++known) {
    const std::int64_t age_ms = std::clamp<std::int64_t>(wall_ms - known->time_ms, 0, keep_key_ms);
    if (age_ms == keep_key_ms) continue;
    if (!add_key(room, known->text, {known->digest, known->offset, 0, now_ms + keep_key_ms - age_ms})) return;
  }
}

/// False if there is no space for it. An older one with the same text is kept.
bool Durable::add_key(Room& room, std::string_view text, const Room::Key& key) {
  if (key_bytes_ + bytes_of(text) > key_bytes_max) return false;
  if (!room.keys) room.keys = std::make_unique<Room::Keys>();
  // In a room that is never without one, those that are over are a part of the others only.
  constexpr std::size_t few = 64;
  if (room.keys->size() >= room.keys_left + room.keys_left / 4 + few) drop_keys_that_are_over(room);
  if (!room.keys->try_emplace(std::string(text), key).second) return true;
  key_bytes_ += bytes_of(text);
  room.keys_until_ms = parts_.clock.monotonic_ms() + keep_key_ms;
  with_keys_.push_back(room);
  watch_time();
  return true;
}

/// The message with that offset, which waits for the disk, has this key, for which there is space.
void Durable::remember_key(Room& room, const hub::DraftKey& key, std::uint64_t offset, Batch batch) {
  if (key.empty()) return;
  Room::Key made;
  std::copy_n(key.digest().begin(), made.digest.size(), made.digest.begin());
  made.offset = offset;
  made.batch = batch;
  (void)add_key(room, key.text(), made);
}

/// The message of that publish is announced. Its key is forgotten if the hub has got the outcome in time, and
/// so knows it itself.
void Durable::key_is_published(Room& room, const Room::Pending& pending) {
  if (pending.key.empty() || !room.keys) return;
  const auto found = room.keys->find(pending.key.text());
  if (found == room.keys->end() || found->second.offset != pending.message.position.offset) return;
  // The hub has deadlines of its own, and they may have been changed since.
  constexpr std::int64_t surely_in_time_ms = 250;
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  const std::int64_t took_ms = now_ms - pending.since_ms;
  const bool is_in_time = took_ms < std::min(surely_in_time_ms, limits_.ack_timeout_ms / 2);
  if (pending.ticket == 0 || !is_in_time) {
    found->second.until_ms = now_ms + keep_key_ms;
    room.keys_until_ms = now_ms + keep_key_ms;
    with_keys_.push_back(room);
    return;
  }
  key_bytes_ -= bytes_of(pending.key.text());
  room.keys->erase(found);
  if (room.keys->empty()) drop_keys(room);
}

void Durable::drop_keys(Room& room) {
  if (!room.keys) return;
  for (const auto& [text, key] : *room.keys)
    key_bytes_ -= bytes_of(text);
  room.keys.reset();
  room.keys_left = 0;
  room.base::Linked<RoomsByKeys>::unlink();
}

void Durable::drop_keys_that_are_over(Room& room) {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  for (auto at = room.keys->begin(); at != room.keys->end();) {
    if (at->second.until_ms == 0 || at->second.until_ms > now_ms) {
      ++at;
      continue;
    }
    key_bytes_ -= bytes_of(at->first);
    at = room.keys->erase(at);
  }
  room.keys_left = room.keys->size();
}

void Durable::drop_old_keys(std::int64_t now_ms) {
  constexpr std::size_t rooms_per_call = 256;
  for (std::size_t i = 0; i < rooms_per_call; ++i) {
    Room* const room = with_keys_.front();
    if (room == nullptr || room->keys_until_ms > now_ms) return;
    const bool has_waiting = std::any_of(room->pending.begin(), room->pending.end(),
                                         [](const Room::Pending& pending) { return !pending.key.empty(); });
    if (has_waiting) {
      room->keys_until_ms = now_ms + keep_key_ms;
      with_keys_.push_back(*room);
    } else {
      drop_keys(*room);
    }
  }
}

}  // namespace roomcast::engine

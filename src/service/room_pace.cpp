#include "service/room_pace.h"

#include <string>

#include "access/rates.h"
#include "base/string_hash.h"

namespace roomcast::service {

namespace {

std::uint64_t key_of_room(std::string_view room) { return base::StringHash{}(room); }

std::uint64_t key_of_pair(std::string_view room, std::uint64_t publisher) {
  // Both are keyed hashes; the multiplier keeps a publisher whose hash is that of the room apart.
  constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;
  return key_of_room(room) ^ (publisher * odd);
}

access::Rate slow_rate(const RoomRule& rule) { return {1, rule.slow_mode_ms, rule.slow_mode_ms}; }

}  // namespace

std::optional<base::Refusal> RoomPace::check(std::string_view room, const RoomRule& rule,
                                             const Publisher& publisher) const {
  if (rule.slow_mode_ms != 0 && publisher.key) {
    const auto* const known = slow_.find(key_of_pair(room, *publisher.key));
    const std::int64_t wait =
        known == nullptr ? 0 : known->front().wait_ns(slow_rate(rule), 1, publisher.now_ns);
    if (wait > 0) return access::rate_limited(wait, "this room is in slow mode (rooms.slow_mode_seconds)");
  }
  if (rule.messages_per_second != 0) {
    const auto* const known = rooms_.find(key_of_room(room));
    const std::int64_t wait =
        known == nullptr ? 0 : known->front().wait_ns(room_rate(rule), 1, publisher.now_ns);
    if (wait > 0) {
      return access::rate_limited(wait, "the room has too many messages: rooms.messages_per_second allows " +
                                            std::to_string(rule.messages_per_second));
    }
  }
  return std::nullopt;
}

void RoomPace::spend(std::string_view room, const RoomRule& rule, const Publisher& publisher) {
  const std::int64_t now = publisher.now_ns;
  if (rule.slow_mode_ms != 0 && publisher.key)
    slow_.take(key_of_pair(room, *publisher.key), now).front().spend(slow_rate(rule), 1, now);
  if (rule.messages_per_second != 0)
    rooms_.take(key_of_room(room), now).front().spend(room_rate(rule), 1, now);
}

}  // namespace roomcast::service

#include "hub/room_settings.h"

#include <algorithm>

namespace roomcast::hub {

const RoomSettings& RoomRules::find(std::string_view room) const {
  for (const Rule& rule : rules_) {
    if (matches_pattern(rule.pattern, room)) return rule.settings;
  }
  return otherwise_;
}

bool matches_pattern(std::string_view pattern, std::string_view room) {
  // What stands before the first star decides most comparisons.
  const std::size_t literal = std::min(pattern.find('*'), pattern.size());
  if (!room.starts_with(pattern.substr(0, literal))) return false;
  pattern.remove_prefix(literal);
  room.remove_prefix(literal);

  // reached[i]: what has been read of the pattern can stand for the first i bytes of the room.
  std::vector<bool> reached(room.size() + 1, false);
  reached[0] = true;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    const bool star = pattern[p] == '*';
    const bool any_depth = star && pattern.substr(p, 2) == "**";
    bool before = false;  // reached[i - 1] before this round
    for (std::size_t i = 0; i <= room.size(); ++i) {
      const bool here = reached[i];
      if (star) {
        reached[i] = here || (i > 0 && reached[i - 1] && (any_depth || room[i - 1] != '/'));
      } else {
        reached[i] = before && room[i - 1] == pattern[p];
      }
      before = here;
    }
    if (any_depth) ++p;
  }
  return reached[room.size()];
}

}  // namespace roomcast::hub

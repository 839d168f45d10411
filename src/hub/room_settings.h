#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_pattern.h"

namespace roomcast::hub {

/// Bounds of a room's history. Whichever is reached first counts.
struct HistoryLimits {
  std::size_t messages;  ///< 0 keeps nothing
  std::size_t bytes;     ///< as History::bytes counts them
  std::int64_t age_ms;   ///< also for how long a room without members is remembered at all
  friend bool operator==(const HistoryLimits&, const HistoryLimits&) = default;
};

struct PresenceLimits {
  std::int64_t grace_ms;  ///< for how long a name that left counts as present: a reload does not flap
  std::size_t crowd;  ///< with more members than this only their number is announced, once a second at most
  bool hides_members = false;  ///< that is so with any members, but those who may see them can ask for a list
  /// With more members than this there is a crowd.
  [[nodiscard]] std::size_t announced_max() const { return hides_members ? 0 : crowd; }
  friend bool operator==(const PresenceLimits&, const PresenceLimits&) = default;
};

/// What the answer to a publish means, where the engine has a disk.
enum class Durability : std::uint8_t {
  none,   ///< the message is in memory
  async,  ///< it will be on the disk within moments
  sync,   ///< it is on the disk, and nobody gets it before
};

/// The settings that may differ from room to room.
struct RoomSettings {
  HistoryLimits history;  ///< of what is retained in memory
  PresenceLimits presence;
  Durability durability = Durability::none;
  std::size_t kept_messages = 0;  ///< by an engine that keeps more than is retained in memory; 0: unknown
  friend bool operator==(const RoomSettings&, const RoomSettings&) = default;
};

/// The settings of each room: those of the first rule whose pattern matches its name, or the general ones.
class RoomRules {
 public:
  struct Rule {
    std::string pattern;  ///< see base::NamePattern
    RoomSettings settings;
  };

  explicit RoomRules(RoomSettings otherwise, const std::vector<Rule>& rules = {});

  /// Valid until the rules are replaced.
  [[nodiscard]] const RoomSettings& find(std::string_view room) const;
  friend bool operator==(const RoomRules&, const RoomRules&) = default;

 private:
  struct CompiledRule {
    base::NamePattern pattern;
    RoomSettings settings;
    friend bool operator==(const CompiledRule&, const CompiledRule&) = default;
  };

  RoomSettings otherwise_;
  std::vector<CompiledRule> rules_;
};

}  // namespace roomcast::hub

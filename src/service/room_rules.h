#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_pattern.h"

namespace roomcast::service {

/// What may be done in a room, apart from permissions.
struct RoomRule {
  bool publish_only_keys = false;         ///< only clients with an API key may publish
  std::uint64_t members_max = 0;          ///< connections in it; 0: no limit
  std::uint64_t message_bytes = 0;        ///< 0, or more than limits.message_bytes: that
  std::uint64_t messages_per_second = 0;  ///< of all publishers together; 0: no limit
  std::int64_t slow_mode_ms = 0;          ///< one message of each publisher in this time; 0: no limit
  bool echo = true;                       ///< senders get their own messages, unless they ask not to
  friend bool operator==(const RoomRule&, const RoomRule&) = default;

  [[nodiscard]] bool is_paced() const { return messages_per_second != 0 || slow_mode_ms != 0; }
};

/// The rule of each room: that of the first pattern that matches its name, or the general one.
class RoomRules {
 public:
  struct Of {
    std::string pattern;  ///< see base::NamePattern
    RoomRule rule;
  };

  RoomRules() : RoomRules(RoomRule{}, {}) {}
  RoomRules(const RoomRule& otherwise, const std::vector<Of>& rules);

  /// Valid until the rules are replaced.
  [[nodiscard]] const RoomRule& find(std::string_view room) const {
    return is_uniform_ ? otherwise_ : look_up(room);
  }
  /// Whether all rooms have the rule that nothing is configured for: nothing needs to be looked up.
  [[nodiscard]] bool is_default() const { return is_uniform_ && otherwise_ == RoomRule{}; }

 private:
  struct Compiled {
    base::NamePattern pattern;
    RoomRule rule;
  };
  /// What was found for a room: patterns may be many, and rooms are asked for again and again.
  struct Found {
    std::uint64_t room = 0;   // keyed hash of its name, see base::StringHash
    std::uint32_t place = 0;  // of its rule in rules_, from 1; behind the last: otherwise_; 0: nothing known
  };
  static constexpr std::size_t remembered = 1'024;
  using Cache = std::array<Found, remembered>;

  [[nodiscard]] const RoomRule& look_up(std::string_view room) const;

  RoomRule otherwise_;
  std::vector<Compiled> rules_;
  bool is_uniform_;  // no pattern makes a difference
  std::unique_ptr<Cache> cache_;
};

}  // namespace roomcast::service

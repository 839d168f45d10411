#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "access/bucket_table.h"
#include "access/token_bucket.h"
#include "base/refusal.h"
#include "service/room_rules.h"

namespace roomcast::service {

/// How fast messages may come in a room: all together, and in slow mode from each publisher. What it keeps of
/// rooms and publishers is bounded: past it those are forgotten first that may publish again soonest
/// (access::BucketTable).
class RoomPace {
 public:
  /// The publisher of a message.
  struct Publisher {
    std::optional<std::uint64_t> key;  ///< of its user, connection or address; nothing: slow mode excepts it
    std::int64_t now_ns = 0;
  };

  /// Publishers that may wait in slow mode at a time, all rooms together, before any is forgotten too early.
  /// There is place for nearly four times as many; they spread over it by chance, and with so many the chance
  /// that one finds its part of the table full is less than one in a million.
  static constexpr std::size_t slow_publishers = 16'384;

  void set_burst(std::int64_t burst_ms) { burst_ms_ = burst_ms; }

  /// Why a message can't be published now, if so: `rate_limited` with the time to wait.
  [[nodiscard]] std::optional<base::Refusal> check(std::string_view room, const RoomRule& rule,
                                                   const Publisher& publisher) const;
  /// It is published; check has passed.
  void spend(std::string_view room, const RoomRule& rule, const Publisher& publisher);

  [[nodiscard]] std::size_t bytes() const { return rooms_.bytes() + slow_.bytes(); }

 private:
  static constexpr std::size_t rooms_bytes = std::size_t{1} << 20U;
  static constexpr std::size_t slow_bytes = std::size_t{1} << 20U;

  [[nodiscard]] access::Rate room_rate(const RoomRule& rule) const {
    return {rule.messages_per_second, 1'000, burst_ms_};
  }

  std::int64_t burst_ms_ = 5'000;
  access::BucketTable<1> rooms_{rooms_bytes};
  access::BucketTable<1> slow_{slow_bytes};  // by room and publisher
};

}  // namespace roomcast::service

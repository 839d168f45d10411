#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/linked_list.h"
#include "engine/redis_partition.h"
#include "engine/redis_port.h"
#include "engine/redis_tail.h"
#include "hub/amendment.h"
#include "hub/engine.h"
#include "hub/lineage.h"

namespace roomcast::engine {

struct RedisRoomsToSync;
struct RedisRoomsToSend;
struct RedisRoomsThatLinger;
struct RedisRoomsWithOwn;
struct RedisRoomsInDoubt;

/// What the Redis engine keeps about a room.
struct RedisRoom final : public base::Linked<RedisRoomsToSync>,
                         public base::Linked<RedisRoomsToSend>,
                         public base::Linked<RedisRoomsThatLinger>,
                         public base::Linked<RedisRoomsWithOwn>,
                         public base::Linked<RedisRoomsInDoubt> {
  using ToSync = RedisRoomsToSync;
  using ToSend = RedisRoomsToSend;
  using Lingering = RedisRoomsThatLinger;
  using WithOwn = RedisRoomsWithOwn;
  using InDoubt = RedisRoomsInDoubt;

  /// A publish or an amendment that has not been answered.
  struct Outgoing {
    hub::Message message{};
    hub::DraftKey key{};
    std::optional<hub::Amendment> amendment{};  ///< nothing: `message` is published
    hub::Ticket ticket = 0;
    std::int64_t since_ms = 0;
    std::size_t bytes = 0;
  };

  /// Pushes that come while the room is being synced take at most so many bytes; past that they are dropped,
  /// and read again.
  static constexpr std::size_t pushed_bytes_max = 65'536;

  std::string_view name;  // in the engine's map
  std::size_t index = 0;  // in the list of all rooms of its partition
  RedisPartition partition = 0;

  // --- What comes in ---

  bool is_wanted = false;      // by the hub
  bool is_subscribed = false;  // pushes come
  bool is_known = false;       // `top` is where this server stands
  bool is_told = false;        // the hub has been told where the log stands
  bool is_lost = false;        // the hub has been told on_lost
  bool is_doubted = false;     // the sync under way may have been answered too early
  bool is_dropping = false;    // pushes have been dropped: what is to be had from the stream is newer
  RedisCallId sync = 0;        // under way
  RedisCallId restore = 0;     // under way
  hub::Position top{};         // what has been passed on to the hub, or would have been
  std::uint64_t floor = 0;     // as it was last heard of
  hub::Lineage lineage{};
  std::deque<std::string> pushed{};  // while it is being synced
  std::size_t pushed_bytes = 0;
  RedisTails::Tail tail{};
  // While the log has less than was passed on, and that may still be put back:
  std::int64_t look_ms = 0;         // in the list of those in doubt: when it is synced again
  std::int64_t doubt_until_ms = 0;  // then what is missing is given up; 0: there is no doubt
  hub::Position restored_to{};      // where the log ended when the last attempt to put something back began

  // --- What goes out ---

  std::deque<Outgoing> queue{};
  std::vector<Outgoing> under_way{};  // the batch of `call`, or the one to be sent again
  RedisCallId call = 0;               // under way
  std::string batch{};                // encoded, of `under_way`
  bool is_again = false;              // `batch` may have been published
  hub::Position again_after{};        // and then after this position
  std::int64_t not_before_ms = 0;     // of the next call
  std::size_t noted = 0;              // entries of Redis::order_ that refer to it
  std::int64_t noted_ms = 0;          // when the last of them was made
  hub::Position answered{};           // of our own last message that was answered
  std::int64_t own_due_ms = 0;        // by then they are to have come as pushes
  std::int64_t lingers_until_ms = 0;

  /// Whether our own messages that were answered have come back.
  [[nodiscard]] bool has_own() const { return answered.epoch == 0 || lineage.has(answered, top); }
  /// Whether pushes can't be passed on as they come.
  [[nodiscard]] bool is_behind() const {
    return !is_known || sync != 0 || restore != 0 || base::Linked<RedisRoomsToSync>::is_linked() ||
           base::Linked<RedisRoomsInDoubt>::is_linked();
  }
  [[nodiscard]] bool has_outgoing() const { return !queue.empty() || !under_way.empty(); }
};

}  // namespace roomcast::engine

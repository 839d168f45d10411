#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/redis_calls.h"
#include "engine/redis_partition.h"
#include "engine/redis_presence_calls.h"
#include "hub/message.h"

namespace roomcast::engine {

/// Identifies one call under way; never 0.
using RedisCallId = std::uint64_t;

/// What is kept of a room in Redis.
struct RedisLimits {
  std::size_t messages = 0;  ///< 0: nothing is
  std::size_t bytes = 0;     ///< 0: as many as the messages take
  std::int64_t age_ms = 0;   ///< 0: without end

  /// After how long a room is forgotten that nobody uses, given redis.room_seconds: one whose messages are
  /// kept without end is not.
  [[nodiscard]] std::int64_t room_seconds(std::int64_t configured) const {
    constexpr std::int64_t century = 3'155'760'000;
    return age_ms == 0 && messages != 0 ? century : configured;
  }
};

/// One message that is published with an idempotency key.
struct RedisKey {
  std::string text;    ///< empty: none
  std::string digest;  ///< hexadecimal
};

/// What the engine needs of the servers: where a partition is, how it is reached, and how its scripts are
/// called is not its concern. The terms are handled behind this: a call that comes too late for one is made
/// again under the next.
///
/// A partition is reached by two connections, which come and go by themselves: one for calls, one for pushes.
class RedisPort {
 public:
  class Listener {
   public:
    /// Calls for the partition can be made, or cannot. Then those under way are still answered, each with
    /// what has become of it, with RedisFault::lost where that is not known.
    virtual void on_calls(RedisPartition partition, bool are_possible) = 0;
    /// Pushes of the partition can come, for the rooms that are subscribed from here on; or they cannot, and
    /// no room is subscribed any more.
    virtual void on_pushes(RedisPartition partition, bool are_possible) = 0;
    /// Everything that is published into the room from here on comes as a push, while pushes come at all.
    virtual void on_room_subscribed(std::string_view room) = 0;
    /// `bytes`: see read_redis_push. Valid within the call.
    virtual void on_push(std::string_view room, std::string_view bytes) = 0;
    /// The answer to `publish`, `amend` or `restore`; once for each. Of `restore`: where the log ends now.
    virtual void on_call_published(RedisCallId call, base::Result<RedisPublished, RedisFault>&& outcome) = 0;
    /// The answer to `sync`; once for each. What it refers to is valid within the call.
    virtual void on_call_synced(RedisCallId call, base::Result<RedisLogState, RedisFault>&& outcome) = 0;
    /// The answer to `presence`; once for each. What it refers to is valid within the call.
    virtual void on_call_presence(RedisCallId call,
                                  base::Result<RedisPresenceAnswer, RedisFault>&& outcome) = 0;

   protected:
    ~Listener() = default;
  };

  /// Called once; `listener` outlives the port's last call, which never is from within one of these.
  virtual void start(Listener& listener) = 0;
  /// Whether a further call of so many bytes may be made now for a room of the partition.
  [[nodiscard]] virtual bool has_space_for(RedisPartition partition, std::size_t bytes) const = 0;

  // Only while pushes of the room's partition can come.
  virtual void subscribe(std::string_view room) = 0;
  virtual void unsubscribe(std::string_view room) = 0;

  // Only while calls can be made for the room's partition.

  struct Publish {
    std::string_view room;
    std::string batch;  ///< encoded
    std::size_t count = 0;
    RedisLimits limits;
    RedisKey key{};
    /// It may have been published before, after this position: then it is answered with its place, and with
    /// `unknown` where that can't be found out any more.
    std::optional<hub::Position> again_after{};
  };
  virtual void publish(RedisCallId call, Publish&& publish) = 0;

  struct Amend {
    enum class What : std::uint8_t { removed, replaced, cleared };
    What what = What::removed;
    hub::Position about;      ///< not of a clear
    std::string replacement;  ///< an encoded batch of one, of a replacement
  };
  /// `publish.batch` has the one amendment.
  virtual void amend(RedisCallId call, Publish&& publish, const Amend& amend) = 0;

  struct Sync {
    std::string_view room;
    std::uint64_t after = 0;
    std::size_t messages_max = 0;  ///< 0: none, only where the log stands
    std::size_t bytes_max = 0;
    RedisLimits limits;
  };
  virtual void sync(RedisCallId call, const Sync& sync) = 0;
  /// Only while calls can be made for its partition. The ids are apart from those of other calls.
  virtual void presence(RedisCallId call, const RedisPresenceCall& what) = 0;

  /// What a log has lost is put back, if it still may be (RedisLogState::doubt_ms), but for what others have
  /// put back already.
  struct Restore {
    struct Batch {
      std::string_view bytes;  ///< encoded
      std::size_t count = 0;
      std::optional<Amend::What> what{};  ///< nothing: it has messages
      std::uint64_t about = 0;            ///< the offset that it amends
      RedisKey key{};
    };
    std::string_view room;
    hub::Position after;         ///< where the log ends
    std::vector<Batch> batches;  ///< that follow there
    RedisLimits limits;
  };
  virtual void restore(RedisCallId call, const Restore& restore) = 0;

 protected:
  ~RedisPort() = default;
};

}  // namespace roomcast::engine

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/scheduler.h"
#include "base/string_hash.h"
#include "engine/redis_partition.h"
#include "redis/connection.h"

namespace roomcast::engine {

/// The subscriptions to rooms at one primary, over a connection of their own, so that a flood of pushes does
/// not hold up calls: Redis ends a connection whose pushes are not read in time.
///
/// In a cluster (Options::is_sharded) a server ends the subscriptions of a slot that moves away, and refuses
/// further ones: then pushes of that partition can't come any more, until it is tried again in `look`. The
/// connection stays.
///
/// One channel of its own, which nobody else publishes into, shows that pushes come: the probe.
class RedisSubscriptions final : private redis::Connection::Owner, private base::TurnTask {
 public:
  class Owner {
   public:
    /// Pushes of the partition can come for the rooms that are subscribed from here on, or they can't.
    virtual void on_partition_pushes(RedisPartition partition, bool are_possible) = 0;
    virtual void on_subscription(std::string_view room) = 0;
    virtual void on_room_push(std::string_view room, std::string_view bytes) = 0;
    /// There is a connection, and the server takes subscriptions.
    virtual void on_subscriptions_up() = 0;
    /// There is none, or could not be made: after the partitions have been told.
    virtual void on_subscriptions_down(std::string_view why) = 0;
    /// The server says that the partition is at another one now: after that has been told.
    virtual void on_partition_refused(RedisPartition partition, std::string_view why) = 0;

   protected:
    ~Owner() = default;
  };
  struct Options {
    std::string prefix;
    std::string node;         ///< names the probe
    bool is_sharded = false;  ///< SSUBSCRIBE, of names of one slot in a command
  };

  /// `owner` outlives it.
  RedisSubscriptions(const redis::Connection::Parts& parts, const redis::Connection::Options& connection,
                     Options options, Owner& owner);
  RedisSubscriptions(const RedisSubscriptions&) = delete;
  RedisSubscriptions& operator=(const RedisSubscriptions&) = delete;
  /// Not within a call of the owner.
  ~RedisSubscriptions();

  /// Once, after the first `set_partitions`.
  void start() { connection_.start(); }
  /// Ends the connection for good. The owner is told.
  void stop(std::string_view why) { connection_.stop(why); }
  /// Ends the connection; another one follows.
  void restart(std::string_view why) { connection_.restart(why); }
  /// The partitions that are at this primary. Of one that is not any more no room is subscribed.
  void set_partitions(const RedisPartitionSet& partitions);

  [[nodiscard]] bool is_up() const { return connection_.is_up(); }
  [[nodiscard]] std::size_t count() const;

  // Only while pushes of the room's partition can come.
  void subscribe(std::string_view room);
  void unsubscribe(std::string_view room);

  /// `rc{tag}b:<node>`, a channel and a key. Its partition is the first that can be used.
  [[nodiscard]] const std::string& probe() const { return probe_; }
  /// Nobody can have published into the probe until now.
  void excuse_probe();
  /// Once in a while: tries refused partitions again, and ends the connection if no probe has come for
  /// `silent_ms`.
  void look(std::int64_t silent_ms);

  static constexpr std::size_t names_of_command = 512;
  /// Names whose confirmations have not come. The rest waits: commands have a deadline.
  static constexpr std::size_t names_under_way_max = 2'048;

 private:
  class Confirmation;
  struct Change {
    bool subscribes = false;
    RedisPartition partition = 0;
    std::uint32_t generation = 0;  // of the partition: those of an earlier one are void
    std::string room;
  };
  /// Confirmations of a room that are to come: only the last one says that pushes come.
  struct Awaited {
    std::uint32_t subscribed = 0;
    std::uint32_t unsubscribed = 0;
  };
  struct Partition {
    bool is_here = false;     // at this primary
    bool has_pushes = false;  // the owner has been told so
    bool is_refused = false;  // until the next look
    std::uint32_t generation = 0;
    std::size_t rooms = 0;  // subscribed
    std::unordered_map<std::string, Awaited, base::StringHash, std::equal_to<>> awaited{};
  };

  void on_connected(redis::Connection& connection, const redis::ServerInfo& server) override;
  void on_disconnected(redis::Connection& connection, std::string_view why) override;
  void on_push(redis::Connection& connection, const redis::Value& value) override;
  void run_at_turn_end() override;

  void begin(RedisPartition number);
  /// True if the owner was told.
  bool end(RedisPartition number);
  void refuse(RedisPartition number, std::string_view why);
  void change(bool subscribes, std::string_view room);
  bool send_some();
  void on_answer(const redis::Value& reply, RedisPartition partition, std::size_t names);
  void on_subscribed(std::string_view room);
  void on_unsubscribed(std::string_view room);
  void choose_probe();
  void subscribe_probe();
  [[nodiscard]] std::string_view room_of(std::string_view channel) const;

  base::Scheduler& scheduler_;
  const base::Clock& clock_;
  Options options_;
  Owner& owner_;
  redis::Connection connection_;
  std::array<Partition, redis_partitions> partitions_;
  std::deque<Change> changes_;  // in order: what is subscribed and what is not any more
  std::size_t names_under_way_ = 0;

  std::string probe_;
  RedisPartition probe_partition_ = 0;
  bool has_probe_ = false;       // it is subscribed
  bool is_probe_asked_ = false;  // its confirmation is to come
  std::int64_t probed_ms_ = 0;   // when the last probe came
};

}  // namespace roomcast::engine

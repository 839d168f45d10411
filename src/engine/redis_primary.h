#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "engine/redis_port.h"
#include "engine/redis_scripts.h"
#include "engine/redis_subscriptions.h"
#include "redis/connection.h"

namespace roomcast::engine {

struct RedisPrimaryStats {
  bool is_up = false;            ///< calls can be made, and pushes come
  std::uint64_t reconnects = 0;  ///< links that ended, and attempts that failed
  std::uint64_t entered = 0;     ///< partitions whose term was asked for
  std::uint64_t calls = 0;
  std::uint64_t repeated = 0;  ///< calls that the server had not done, and that were made again here
  std::size_t under_way = 0;
  std::size_t waiting = 0;  ///< calls that have not been sent
  std::size_t subscriptions = 0;
  std::int64_t round_trip_us = 0;  ///< of the last beat
};

/// The port to the partitions that one Redis server has. Has two connections, one for calls and one for
/// pushes (redis_subscriptions.h). Loads the scripts on each new connection, asks for a partition's term
/// before the first call there, and makes calls that the server has not done (they came too late for a term,
/// found no script, or the slot was being moved) again, a bounded number of times.
///
/// Beats once a second: a write, whose answer proves that the server is still a primary, which distributes a
/// message to this server alone, whose coming proves that pushes come. The key, which expires after 15 s, is
/// `rc{tag}b:<node>` with the tag of the first partition that the server has.
class RedisPrimary final : public RedisPort,
                           public base::Disposable,
                           private redis::Connection::Owner,
                           private RedisSubscriptions::Owner,
                           private base::Deadline::Listener {
 public:
  class Owner {
   public:
    /// The server can't be reached, or says that it is no primary, or not of all of its partitions. Often;
    /// `set_partitions`, `stop` and the destructor are not to be called within.
    virtual void on_doubt(RedisPrimary& primary) = 0;

   protected:
    ~Owner() = default;
  };
  struct Options {
    redis::Connection::Options connection{};
    std::string prefix = "rc";
    std::string node;                    ///< the name of this server among all
    std::int64_t grace_ms = 1'000;       ///< redis.recover_seconds
    std::int64_t room_seconds = 86'400;  ///< redis.room_seconds
    std::int64_t key_seconds = 300;
    std::int64_t beat_ms = 1'000;
    std::int64_t probe_ms = 3'000;  ///< without a probe pushes do not come
    bool is_sharded = false;        ///< the server is one of a cluster: sharded subscriptions
    RedisPartitionSet partitions = RedisPartitionSet().set();  ///< that it has
  };
  /// All of these outlive it. `owner` may be null.
  struct Parts {
    redis::Connection::Parts connection;
    base::Log& log;
    Owner* owner = nullptr;
  };

  RedisPrimary(const Parts& parts, Options options);
  RedisPrimary(const RedisPrimary&) = delete;
  RedisPrimary& operator=(const RedisPrimary&) = delete;
  /// Not within one of its calls.
  ~RedisPrimary() override;

  [[nodiscard]] RedisPrimaryStats stats() const;
  /// Why there is no connection, in words; empty while both are up or have not been tried.
  [[nodiscard]] std::string_view why_down() const {
    return commands_down_.empty() ? std::string_view(pushes_down_) : commands_down_;
  }
  /// The server has others now. The listener is told of those that it has no more and of those that are new:
  /// what is under way for the former is still answered, with what has become of it.
  void set_partitions(const RedisPartitionSet& partitions);
  [[nodiscard]] RedisPartitionSet partitions() const;
  /// Ends both connections for good. The listener is told: all that is under way is lost.
  void stop(std::string_view why);

  void start(RedisPort::Listener& listener) override;
  [[nodiscard]] bool has_space_for(RedisPartition partition, std::size_t bytes) const override;
  void subscribe(std::string_view room) override { subscriptions_.subscribe(room); }
  void unsubscribe(std::string_view room) override { subscriptions_.unsubscribe(room); }
  void publish(RedisCallId call, Publish&& publish) override;
  void amend(RedisCallId call, Publish&& publish, const Amend& amend) override;
  void sync(RedisCallId call, const Sync& sync) override;
  void presence(RedisCallId call, const RedisPresenceCall& what) override;
  void restore(RedisCallId call, const Restore& restore) override;

  /// What a server has not done is asked for again so often at once, and a sync then so often after a wait.
  static constexpr std::size_t repeats_max = 4;
  static constexpr std::size_t delays_max = 20;
  static constexpr std::int64_t delay_ms = 100;

 private:
  /// What is asked for, so that it can be asked for again.
  struct Call;
  class Answer;
  class LoadAnswer;
  class EnterAnswer;
  class BeatAnswer;
  using Calls = std::deque<std::unique_ptr<Call>>;
  class PresenceAnswer;
  struct Partition {
    bool is_here = false;
    bool is_told = false;  // the listener has been told that calls can be made
    std::string term{};    // empty: not known
    bool is_entering = false;
    Calls waiting{};  // for the term, or for the scripts
  };
  /// Makes delayed calls again.
  class Delay final : public base::Deadline::Listener {
   public:
    explicit Delay(RedisPrimary& primary) : primary_(primary) {}
    void on_deadline() override { primary_.send_delayed(); }

   private:
    RedisPrimary& primary_;
  };

  void on_connected(redis::Connection& connection, const redis::ServerInfo& server) override;
  void on_disconnected(redis::Connection& connection, std::string_view why) override;
  void on_push(redis::Connection& connection, const redis::Value& value) override;
  void on_partition_pushes(RedisPartition partition, bool are_possible) override;
  void on_subscription(std::string_view room) override;
  void on_room_push(std::string_view room, std::string_view bytes) override;
  void on_subscriptions_up() override;
  void on_subscriptions_down(std::string_view why) override;
  void on_partition_refused(RedisPartition partition, std::string_view why) override;
  void on_deadline() override;

  void note_up(std::string& down, std::string_view purpose);
  void note_down(std::string& down, std::string_view purpose, std::string_view why);
  void doubt();
  void begin_call(std::unique_ptr<Call> call);
  void have_wait(Calls& calls, std::unique_ptr<Call> call);
  void send(std::unique_ptr<Call> call);
  void send_delayed();
  void send_restore(std::unique_ptr<Call> call);
  void load_scripts();
  void on_loaded(const redis::Value& reply, RedisScript script);
  void enter(RedisPartition partition);
  void on_entered(RedisPartition partition, const redis::Value& reply);
  void send_waiting(RedisPartition partition);
  void on_answer(std::unique_ptr<Call> call, const redis::Value& reply);
  void on_fault(std::unique_ptr<Call> call, const RedisFault& fault);
  void on_not_primary(RedisPartition partition, std::string_view error);
  void on_call_lost(const Call& call);
  void fail(const Call& call, const RedisFault& fault);
  void lose_all(Calls& calls);
  void leave(RedisPartition partition);
  void tell_calls(RedisPartition partition, bool are_possible);
  void beat();
  void on_beat(const redis::Value& reply, std::int64_t since_us);
  void on_presence_answer(RedisPartition partition, RedisCallId call, const redis::Value& reply);
  [[nodiscard]] std::string channel_of(std::string_view room) const;
  [[nodiscard]] std::string_view room_of(std::string_view channel) const;

  Parts parts_;
  Options options_;
  RedisPort::Listener* listener_ = nullptr;
  redis::Connection commands_;
  RedisSubscriptions subscriptions_;
  std::array<Partition, redis_partitions> partitions_;
  std::array<std::string, redis_script_count> sha1s_;
  std::size_t scripts_to_load_ = 0;  // answers that are to come
  bool has_scripts_ = false;
  bool is_stopped_ = false;
  Calls delayed_;
  std::size_t waiting_ = 0;  // calls, of the partitions and delayed
  std::size_t waiting_bytes_ = 0;

  std::string commands_down_;  // why
  std::string pushes_down_;
  std::uint64_t reconnects_ = 0;
  std::uint64_t entered_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t repeated_ = 0;
  std::size_t under_way_ = 0;
  std::int64_t round_trip_us_ = 0;
  base::Deadline due_;
  Delay delay_{*this};
  base::Deadline delay_due_;
};

}  // namespace roomcast::engine

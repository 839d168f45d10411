#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "base/string_hash.h"
#include "engine/redis_port.h"
#include "engine/redis_scripts.h"
#include "redis/connection.h"

namespace roomcast::engine {

struct RedisPrimaryStats {
  bool is_up = false;            ///< calls can be made, and pushes come
  std::uint64_t reconnects = 0;  ///< links that ended
  std::uint64_t entered = 0;     ///< partitions whose term was asked for
  std::uint64_t calls = 0;
  std::size_t under_way = 0;
  std::size_t subscriptions = 0;
  std::int64_t round_trip_us = 0;  ///< of the last beat
};

/// The port to one Redis server that has all partitions. Has two connections, so that a flood of pushes does
/// not hold up calls: Redis ends a connection whose pushes are not read in time. Loads the scripts on each
/// new connection, asks for a partition's term before the first call there, and makes calls that came too
/// late for a term or found no script again.
///
/// Beats once a second: a write, whose answer proves that the server is still a primary, which distributes a
/// message to this server alone, whose coming proves that pushes come.
class RedisPrimary final : public RedisPort,
                           private redis::Connection::Owner,
                           private base::TurnTask,
                           private base::Deadline::Listener {
 public:
  struct Options {
    redis::Connection::Options connection{};
    std::string prefix = "rc";
    std::string node;                    ///< the name of this server among all
    std::int64_t grace_ms = 1'000;       ///< redis.recover_seconds
    std::int64_t room_seconds = 86'400;  ///< redis.room_seconds
    std::int64_t key_seconds = 300;
  };
  /// All of these outlive it.
  struct Parts {
    redis::Connection::Parts connection;
    base::Log& log;
  };

  RedisPrimary(const Parts& parts, Options options);
  RedisPrimary(const RedisPrimary&) = delete;
  RedisPrimary& operator=(const RedisPrimary&) = delete;
  ~RedisPrimary();

  [[nodiscard]] RedisPrimaryStats stats() const;

  void start(RedisPort::Listener& listener) override;
  [[nodiscard]] bool has_space_for(std::size_t bytes) const override;
  void subscribe(std::string_view room) override;
  void unsubscribe(std::string_view room) override;
  void publish(RedisCallId call, Publish&& publish) override;
  void amend(RedisCallId call, Publish&& publish, const Amend& amend) override;
  void sync(RedisCallId call, const Sync& sync) override;

  static constexpr std::int64_t beat_ms = 1'000;
  static constexpr std::int64_t probe_ms = 3'000;
  static constexpr std::size_t subscribe_names = 512;  ///< of one command

 private:
  /// What is asked for, so that it can be asked for again.
  struct Call;
  class Answer;
  class LoadAnswer;
  class EnterAnswer;
  class BeatAnswer;
  struct Partition {
    std::string term;  // empty: not known
    bool is_entering = false;
    std::deque<std::unique_ptr<Call>> waiting{};  // for the term, or for the scripts
  };

  void on_connected(redis::Connection& connection, const redis::ServerInfo& server) override;
  void on_disconnected(redis::Connection& connection, std::string_view why) override;
  void on_push(redis::Connection& connection, const redis::Value& value) override;
  void run_at_turn_end() override;
  void on_deadline() override;

  void begin_call(std::unique_ptr<Call> call);
  void send(std::unique_ptr<Call> call);
  void load_scripts();
  void on_loaded(const redis::Value& reply, RedisScript script);
  void enter(RedisPartition partition);
  void on_entered(RedisPartition partition, const redis::Value& reply);
  void send_waiting(RedisPartition partition);
  void on_answer(std::unique_ptr<Call> call, const redis::Value& reply);
  void on_call_lost(const Call& call);
  void finish(const Call& call, const redis::Value& reply);
  void fail(const Call& call, const RedisFault& fault);
  void lose_waiting();
  void tell_calls(bool are_possible);
  void tell_pushes(bool are_possible);
  void beat();
  [[nodiscard]] std::string channel_of(std::string_view room) const;
  [[nodiscard]] std::string_view room_of(std::string_view channel) const;

  Parts parts_;
  Options options_;
  RedisPort::Listener* listener_ = nullptr;
  redis::Connection commands_;
  redis::Connection pushes_;
  std::array<Partition, redis_partitions> partitions_;
  std::array<std::string, redis_script_count> sha1s_;
  std::size_t scripts_to_load_ = 0;  // answers that are to come
  bool has_scripts_ = false;
  std::size_t waiting_bytes_ = 0;

  // In order: what is subscribed and what is not any more.
  struct Change {
    bool subscribes = false;
    std::string room;
  };
  std::vector<Change> changes_;
  // Confirmations that are to come, by room: only the last one says that pushes come.
  std::unordered_map<std::string, std::uint32_t, base::StringHash, std::equal_to<>> to_confirm_;
  std::size_t subscriptions_ = 0;

  std::string probe_channel_;
  std::int64_t probed_ms_ = 0;  // when the last probe came
  std::uint64_t reconnects_ = 0;
  std::uint64_t entered_ = 0;
  std::uint64_t calls_ = 0;
  std::size_t under_way_ = 0;
  std::int64_t round_trip_us_ = 0;
  base::Deadline due_;
};

}  // namespace roomcast::engine

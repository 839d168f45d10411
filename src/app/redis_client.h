#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadlines.h"
#include "base/result.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/turn.h"
#include "net/dialer.h"
#include "net/socket_stream.h"
#include "net/tls_client.h"
#include "net/tls_shared.h"
#include "redis/connection.h"
#include "redis/server_info.h"
#include "redis/value.h"

namespace roomcast::app {

/// A reply or a push that is kept.
struct RedisReply {
  redis::Value::Type type = redis::Value::Type::null;
  std::int64_t integer = 0;
  std::string text;
  std::vector<RedisReply> items;

  [[nodiscard]] bool is_error() const { return type == redis::Value::Type::error; }
};

/// The event loop of a command of the command line, which has connections to Redis.
struct RedisClientLoop {
  explicit RedisClientLoop(const net::TlsClientContext& context) : tls_context(context) {}
  RedisClientLoop(const RedisClientLoop&) = delete;
  RedisClientLoop& operator=(const RedisClientLoop&) = delete;
  /// Connections that have ended refer to what is below.
  ~RedisClientLoop() { turn.reap_all(); }

  /// Runs turns until `done()`; false if that takes longer than `limit_ms`.
  template <class Done>
  bool run_until(const Done& done, std::int64_t limit_ms) {
    const std::int64_t end_us = loop.monotonic_us() + 1'000 * limit_ms;
    loop.run_turn_without_waiting();  // sends what is to be sent
    while (!done()) {
      if (loop.monotonic_us() > end_us) return false;
      loop.run_turn();  // the sweep of the deadlines ends its sleep
    }
    return true;
  }

  loop::Loop loop;
  loop::Turn turn{loop, 2'000};
  base::Deadlines deadlines{loop, 20};
  loop::Sweep sweep{loop, deadlines};
  net::SocketShared sockets{loop};
  net::TlsShared tls{turn, deadlines};
  net::Dialer dialer{{loop, sockets, deadlines}};
  const net::TlsClientContext& tls_context;
};

/// One connection to Redis for commands that follow each other: each call runs the loop until the answer is
/// there, or the connection is lost.
class RedisClient final : private redis::Connection::Owner {
 public:
  /// `loop` outlives it.
  RedisClient(RedisClientLoop& loop, redis::Connection::Options options);
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;
  ~RedisClient() = default;

  /// Makes one attempt. The error is for the operator. Once.
  [[nodiscard]] base::Result<redis::ServerInfo> connect();
  /// Once it is not, it never is again.
  [[nodiscard]] bool is_up() const { return connection_.is_up() && !is_over_; }

  /// The answer, which may be an error; also if there is none.
  [[nodiscard]] RedisReply ask(std::span<const std::string_view> words);
  [[nodiscard]] RedisReply ask(std::initializer_list<std::string_view> words) {
    return ask(std::span<const std::string_view>(words.begin(), words.size()));
  }
  /// `SUBSCRIBE` or `SSUBSCRIBE`: the confirmation, or an error.
  [[nodiscard]] RedisReply subscribe(std::string_view command, std::string_view channel);
  /// The message that comes next over `channel`, within `limit_ms`; null if none does.
  [[nodiscard]] RedisReply next_message(std::string_view channel, std::int64_t limit_ms);

 private:
  class Answer;

  void on_connected(redis::Connection& connection, const redis::ServerInfo& server) override;
  void on_disconnected(redis::Connection& connection, std::string_view why) override;
  void on_push(redis::Connection& connection, const redis::Value& value) override;
  [[nodiscard]] RedisReply await(const RedisReply& answer, const bool& has_come);

  RedisClientLoop& loop_;
  std::int64_t connect_ms_;
  std::int64_t reply_ms_;
  redis::Connection connection_;
  redis::ServerInfo server_;
  bool is_over_ = false;            // the attempt has failed, or the connection has ended
  std::string why_;                 // it is over
  std::vector<RedisReply> pushes_;  // that nobody has asked for yet, a few at most
};

}  // namespace roomcast::app

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/redis_setup.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "config/config.h"
#include "engine/redis.h"
#include "engine/redis_router.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/turn.h"
#include "net/dialer.h"
#include "net/socket_stream.h"
#include "net/tls_client.h"
#include "net/tls_shared.h"
#include "redis/topology.h"

namespace roomcast::app {

/// The engine of servers that share their rooms over Redis, and what it reaches Redis by.
class RedisBackend final : private base::Deadline::Listener, private loop::Timer::Listener {
 public:
  /// All of these outlive it.
  struct Parts {
    loop::Loop& loop;
    loop::Turn& turn;
    base::Deadlines& deadlines;
    net::SocketShared& sockets;
    net::TlsShared& tls;
    base::Log& log;
  };

  RedisBackend(const Parts& parts, RedisSetup&& setup, const config::Config& config);
  RedisBackend(const RedisBackend&) = delete;
  RedisBackend& operator=(const RedisBackend&) = delete;

  [[nodiscard]] engine::Redis& engine() { return engine_; }
  [[nodiscard]] const engine::Redis& engine() const { return engine_; }
  [[nodiscard]] const engine::RedisRouter& router() const { return router_; }

  /// Whether the server may get clients: it has been connected, and not without Redis for longer than
  /// redis.ready_seconds since then.
  [[nodiscard]] bool is_ready() const;
  /// "up", or why not.
  [[nodiscard]] std::string state() const;

  /// Takes over what a reload may change.
  void apply(const config::Config& config);
  /// At the end, once there are no clients any more: has what waits to be published published, as long as
  /// Redis can be reached, for at most `flush_ms`. Logs what could not be.
  void flush();

  static constexpr std::int64_t flush_ms = 2'000;

 private:
  void on_deadline() override;
  void on_timer(loop::Timer& /*timer*/) override {}
  void look_at_link();

  Parts parts_;
  std::int64_t ready_ms_;
  std::int64_t last_up_ms_ = 0;
  bool has_been_up_ = false;
  net::Dialer dialer_;
  net::TlsClientContext tls_;
  std::unique_ptr<redis::Topology> topology_;
  engine::RedisRouter router_;
  engine::Redis engine_;
  base::Deadline look_;
};

}  // namespace roomcast::app

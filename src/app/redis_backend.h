#pragma once

#include "app/redis_setup.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "config/config.h"
#include "engine/redis.h"
#include "engine/redis_primary.h"
#include "loop/loop.h"
#include "loop/turn.h"
#include "net/dialer.h"
#include "net/socket_stream.h"
#include "net/tls_client.h"
#include "net/tls_shared.h"

namespace roomcast::app {

/// The engine of servers that share their rooms over Redis, and what it reaches Redis by.
class RedisBackend {
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
  [[nodiscard]] const engine::RedisPrimary& primary() const { return primary_; }

  /// Takes over what a reload may change.
  void apply(const config::Config& config);

 private:
  net::Dialer dialer_;
  net::TlsClientContext tls_;
  engine::RedisPrimary primary_;
  engine::Redis engine_;
};

}  // namespace roomcast::app

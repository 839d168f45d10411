#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "app/redis_backend.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "engine/durable.h"
#include "engine/memory.h"
#include "hub/engine.h"
#include "loop/loop.h"
#include "loop/turn.h"
#include "net/socket_stream.h"
#include "net/tls_shared.h"
#include "store/store.h"

namespace roomcast::app {

/// What orders the messages of rooms, and where they are kept: in memory or, where store.path is set, in a
/// store on the disk as well; or in Redis, where `engine` says so.
class Storage {
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

  /// Opens the store, which takes as long as it takes to read what was published last.
  Storage(const Parts& parts, const config::Config& config);
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  /// Why the store or the engine that is configured could not be set up: nothing may be served then.
  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }
  [[nodiscard]] hub::Engine& engine();
  /// Null where there is none, all of them.
  [[nodiscard]] const store::Store* store() const { return store_.get(); }
  [[nodiscard]] store::Store* store() { return store_.get(); }
  [[nodiscard]] const engine::Durable* durable() const { return durable_ ? &*durable_ : nullptr; }

  [[nodiscard]] const RedisBackend* redis() const { return redis_.get(); }

  /// Takes over what a reload may change.
  void apply(const config::Config& config);
  /// Once nothing is served any more: publishes or writes what is left, so that the next start has nothing to
  /// repair. Has no effect a second time. Ends the process with 1 if the disk does not answer within ten
  /// seconds.
  void close();

 private:
  base::Log& log_;
  std::optional<base::Error> error_;
  std::unique_ptr<store::Store> store_;
  std::optional<engine::Memory> memory_;
  std::optional<engine::Durable> durable_;
  std::unique_ptr<RedisBackend> redis_;
  bool is_closed_ = false;
};

}  // namespace roomcast::app

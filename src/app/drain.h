#pragma once

#include <cstddef>
#include <cstdint>

#include "base/log.h"
#include "http/server.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "part/part.h"
#include "session/session_table.h"

namespace roomcast::app {

/// Graceful shutdown: the clients of all parts are asked to come back (1012, or the answer to a waiting
/// poll), a share at a time over the drain time, so that they do not all reconnect elsewhere in the same
/// instant. Once all connections have ended, or the time is over, the loop is stopped.
class Drain final : private loop::Timer::Listener {
 public:
  /// All outlive it. `http` and `sessions` are for the log lines.
  Drain(loop::Loop& loop, const part::Parts& parts, const http::Server& http,
        const session::SessionTable& sessions, base::Log& log);

  /// `drain_ms` is the time to spread the closing over, `grace_ms` how long the last clients may take to
  /// close.
  void begin(std::int64_t drain_ms, std::int64_t grace_ms);
  [[nodiscard]] bool has_begun() const { return begun_; }

 private:
  void on_timer(loop::Timer& timer) override;
  void close_some();
  [[nodiscard]] bool has_connections() const;

  loop::Loop& loop_;
  const part::Parts& parts_;
  const http::Server& http_;
  const session::SessionTable& sessions_;
  base::Log& log_;
  loop::Timer timer_;
  bool begun_ = false;
  std::size_t per_tick_ = 0;
  std::int64_t last_tick_ms_ = 0;
  std::int64_t left_ms_ = 0;  // until it gives up
};

}  // namespace roomcast::app

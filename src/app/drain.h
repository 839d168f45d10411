#pragma once

#include <cstddef>
#include <cstdint>

#include "base/log.h"
#include "http/server.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "net/linger.h"
#include "session/session_table.h"
#include "transport/polls.h"

namespace roomcast::app {

/// The way to the end: every client is told to come back (1012, or the answer to a waiting poll), a share at
/// a time over the drain time, so that they do not all reconnect elsewhere in the same instant; then the loop
/// is stopped.
class Drain final : private loop::Timer::Listener {
 public:
  Drain(loop::Loop& loop, http::Server& http, session::SessionTable& sessions, transport::Polls& polls,
        net::Linger& linger, base::Log& log);

  /// `drain_ms` is the time to spread the closing over, `grace_ms` what the last ones get to say goodbye.
  void begin(std::int64_t drain_ms, std::int64_t grace_ms);
  [[nodiscard]] bool has_begun() const { return begun_; }

 private:
  void on_timer(loop::Timer& timer) override;
  void close_some();
  [[nodiscard]] bool everybody_has_gone() const;

  loop::Loop& loop_;
  http::Server& http_;
  session::SessionTable& sessions_;
  transport::Polls& polls_;
  net::Linger& linger_;
  base::Log& log_;
  loop::Timer timer_;
  bool begun_ = false;
  std::size_t per_tick_ = 0;
  std::int64_t last_tick_ms_ = 0;
  std::int64_t left_ms_ = 0;  // until it gives up
};

}  // namespace roomcast::app

#pragma once

#include <cstddef>

#include "base/log.h"
#include "http/server.h"
#include "hub/hub.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "session/session_table.h"

namespace roomcast::app {

/// Keeps the process below limits.memory_bytes. Looks at what the allocator has given out a few times a
/// second. Past the limit, in this order: half of what rooms keep of their past is forgotten; if that was not
/// enough, the clients that hold most (their queues) are closed, and until there is room again publishes and
/// new clients, polls included, are refused. Each look past the limit does the same again.
class MemoryGuard final : private loop::Timer::Listener {
 public:
  struct Limits {
    std::size_t memory_bytes = 0;
    std::size_t queue_bytes = 0;  ///< limits.queue_bytes: what one client may hold
  };

  MemoryGuard(loop::Loop& loop, hub::Hub& hub, session::SessionTable& sessions, http::Server& http,
              base::Log& log);
  void set_limits(const Limits& limits) { limits_ = limits; }

  /// Bytes that the allocator has given out, as of the last look.
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }

 private:
  void on_timer(loop::Timer& timer) override;
  void look();
  void shed_history();

  hub::Hub& hub_;
  session::SessionTable& sessions_;
  http::Server& http_;
  base::Log& log_;
  Limits limits_;
  std::size_t used_bytes_ = 0;
  bool has_shed_ = false;  // since memory last sufficed
  loop::Timer timer_;
};

}  // namespace roomcast::app

#include "app/memory_guard.h"

#include <malloc.h>

#include <utility>

namespace roomcast::app {

namespace {

constexpr std::int64_t look_every_ms = 200;

}  // namespace

MemoryGuard::MemoryGuard(loop::Loop& loop, hub::Hub& hub, session::SessionTable& sessions, http::Server& http,
                         base::Log& log)
    : hub_(hub), sessions_(sessions), http_(http), log_(log), timer_(loop, *this) {
  timer_.start_every(look_every_ms);
}

void MemoryGuard::look() {
  // Not the resident size: that stays high after the memory has been freed.
  const struct mallinfo2 info = mallinfo2();
  used_bytes_ = info.uordblks + info.hblkhd;
}

void MemoryGuard::shed_history() {
  const std::size_t dropped = hub_.shed_history();
  if (dropped == 0) return;
  if (!std::exchange(has_shed_, true)) {
    log_.warn("memory is short: rooms forget half of their history",
              {{"used_bytes", used_bytes_},
               {"limits.memory_bytes", limits_.memory_bytes},
               {"forgotten_bytes", dropped}});
  }
  look();
}

void MemoryGuard::on_timer(loop::Timer& /*timer*/) {
  look();
  if (used_bytes_ > limits_.memory_bytes) shed_history();
  const bool short_of_memory = used_bytes_ > limits_.memory_bytes;
  if (short_of_memory) {
    const std::size_t slow_bytes = limits_.queue_bytes / 8;
    const std::size_t closed = sessions_.close_slower_than(slow_bytes) + http_.close_slower_than(slow_bytes);
    if (!hub_.overloaded() || closed != 0) {
      log_.warn(
          "memory is short: publishes and new clients are refused",
          {{"used_bytes", used_bytes_}, {"limits.memory_bytes", limits_.memory_bytes}, {"closed", closed}});
    }
    hub_.set_overloaded(true);
  } else if (hub_.overloaded() && used_bytes_ < limits_.memory_bytes / 10 * 9) {
    hub_.set_overloaded(false);
    log_.info("memory suffices again", {{"used_bytes", used_bytes_}});
  }
  if (used_bytes_ < limits_.memory_bytes / 10 * 9) has_shed_ = false;
}

}  // namespace roomcast::app

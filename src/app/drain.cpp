#include "app/drain.h"

#include <algorithm>
#include <utility>

#include "base/deadlines.h"

namespace roomcast::app {

namespace {

constexpr std::int64_t tick_ms = 50;
// So many clients may reconnect at once without harm.
constexpr std::size_t at_least_per_tick = 8;

}  // namespace

Drain::Drain(loop::Loop& loop, const part::Parts& parts, const http::Server& http,
             const session::SessionTable& sessions, base::Log& log)
    : loop_(loop), parts_(parts), http_(http), sessions_(sessions), log_(log), timer_(loop, *this) {}

void Drain::begin(std::int64_t drain_ms, std::int64_t grace_ms) {
  begun_ = true;
  const auto ticks = static_cast<std::size_t>(drain_ms / tick_ms);
  std::size_t clients = 0;
  for (const auto& part : parts_)
    clients += part->clients();
  per_tick_ = ticks == 0 ? clients : std::max(at_least_per_tick, clients / ticks + 1);
  last_tick_ms_ = loop_.monotonic_ms();
  left_ms_ = drain_ms + grace_ms;
  log_.info("draining", {{"clients", sessions_.size()}, {"http_connections", http_.connections()}});
  for (const auto& part : parts_)
    part->begin_drain();
  close_some();
  timer_.start_every(tick_ms);
}

void Drain::close_some() {
  std::size_t left = per_tick_;
  for (const auto& part : parts_)
    left -= part->close_some(left);
}

void Drain::on_timer(loop::Timer& /*timer*/) {
  close_some();
  const std::int64_t now_ms = loop_.monotonic_ms();
  // As for deadlines: time in which the process did not run does not count.
  left_ms_ -= std::min(now_ms - std::exchange(last_tick_ms_, now_ms), base::Deadlines::counted_max_ms);
  const bool is_over = !has_connections();
  if (left_ms_ > 0 && !is_over) return;
  if (!is_over) {
    log_.warn("drain time is over",
              {{"clients", sessions_.size()}, {"http_connections", http_.connections()}});
  }
  timer_.stop();
  loop_.stop();
}

bool Drain::has_connections() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->connections() > 0; });
}

}  // namespace roomcast::app

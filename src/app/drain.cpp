#include "app/drain.h"

#include <algorithm>
#include <utility>

#include "base/deadlines.h"

namespace roomcast::app {

namespace {

constexpr std::int64_t tick_ms = 50;
// So many may come back at once without anybody noticing.
constexpr std::size_t at_least_per_tick = 8;

}  // namespace

Drain::Drain(loop::Loop& loop, http::Server& http, session::SessionTable& sessions, transport::Polls& polls,
             net::Linger& linger, base::Log& log)
    : loop_(loop),
      http_(http),
      sessions_(sessions),
      polls_(polls),
      linger_(linger),
      log_(log),
      timer_(loop, *this) {}

void Drain::begin(std::int64_t drain_ms, std::int64_t grace_ms) {
  begun_ = true;
  const auto ticks = static_cast<std::size_t>(drain_ms / tick_ms);
  const std::size_t clients = sessions_.size() + polls_.size();
  per_tick_ = ticks == 0 ? clients : std::max(at_least_per_tick, clients / ticks + 1);
  last_tick_ms_ = loop_.monotonic_ms();
  left_ms_ = drain_ms + grace_ms;
  log_.info("draining", {{"clients", sessions_.size()}, {"http_connections", http_.connections()}});
  http_.drain();
  close_some();
  timer_.start_every(tick_ms);
}

void Drain::close_some() {
  const std::size_t closed = sessions_.close_some(per_tick_, base::CloseReason::server_shutdown);
  polls_.close_some(per_tick_ - closed);
}

void Drain::on_timer(loop::Timer& /*timer*/) {
  close_some();
  const std::int64_t now_ms = loop_.monotonic_ms();
  // As for deadlines: time in which the process did not run does not count.
  left_ms_ -= std::min(now_ms - std::exchange(last_tick_ms_, now_ms), base::Deadlines::counted_max_ms);
  const bool give_up = left_ms_ <= 0;
  if (!give_up && !everybody_has_gone()) return;
  if (!everybody_has_gone()) {
    log_.warn("drain time is over",
              {{"clients", sessions_.size()}, {"http_connections", http_.connections()}});
  }
  timer_.stop();
  loop_.stop();
}

bool Drain::everybody_has_gone() const {
  return sessions_.size() == 0 && http_.connections() == 0 && linger_.size() == 0;
}

}  // namespace roomcast::app

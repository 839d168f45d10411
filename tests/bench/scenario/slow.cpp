// Some subscribers stop reading. The others must not notice, and the server must not fill up.

#include <algorithm>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/audience.h"
#include "scenario/publisher.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"
#include "serve/process_facts.h"

namespace roomcast::bench {

namespace {

constexpr const char* room = "/rooms/bench";

/// The most that a process's memory has grown by, looked at now and then: the look takes a millisecond.
class Growth {
 public:
  explicit Growth(pid_t pid) : pid_(pid), first_(pid == 0 ? -1 : resident_bytes(pid)) {}

  void look() {
    constexpr std::int64_t interval_ns = 200'000'000;
    const std::int64_t now = now_ns();
    if (first_ < 0 || now < next_ns_) return;
    next_ns_ = now + interval_ns;
    most_ = std::max(most_, resident_bytes(pid_) - first_);
  }
  [[nodiscard]] bool known() const { return first_ >= 0; }
  [[nodiscard]] std::int64_t most_bytes() const { return most_; }

 private:
  pid_t pid_;
  std::int64_t first_;
  std::int64_t most_ = 0;
  std::int64_t next_ns_ = 0;
};

class Slow {
 public:
  Slow(const Target& target, const SlowSettings& settings)
      : settings_(settings),
        target_(target),
        stage_(target, settings.common),
        audience_(settings.subscribers),
        crowd_(poller_, target,
               {.kind = settings.common.kind,
                .clients = settings.subscribers,
                .path = [](std::size_t) { return room; }},
               audience_),
        publisher_(poller_, target, room, settings.message_bytes) {}

  Measurement run();

 private:
  /// Every tenth one, for a share of 0.1, so that they stand all over the room.
  [[nodiscard]] bool is_slow(std::size_t index) const {
    const auto up_to = [this](std::size_t count) {
      return static_cast<std::size_t>(static_cast<double>(count) * settings_.slow_share);
    };
    return up_to(index + 1) > up_to(index);
  }
  std::size_t stop_some();
  /// Lets them read what is there for them, until each has answered or is found to have been cut off.
  void resume();
  /// Each message at its time, and not before the last one has reached all clients that read.
  void send_all(Growth& growth);

  const SlowSettings& settings_;
  const Target& target_;
  Stage stage_;
  Poller poller_;
  Audience audience_;
  Crowd crowd_;
  Publisher publisher_;
};

std::size_t Slow::stop_some() {
  std::size_t stopped = 0;
  for (std::size_t index = 0; index < crowd_.size(); ++index) {
    if (!is_slow(index)) continue;
    audience_.excuse(index);
    if (crowd_[index].state() == Client::State::open) crowd_[index].stop_reading();
    ++stopped;
  }
  return stopped;
}

void Slow::resume() {
  if (settings_.common.kind.way != Way::websocket) return;  // only a WebSocket client can answer
  std::uint64_t pinged = 0;
  for (std::size_t index = 0; index < crowd_.size(); ++index) {
    if (!is_slow(index) || crowd_[index].state() != Client::State::open) continue;
    ++pinged;
    crowd_[index].ping();
    crowd_[index].resume_reading();
  }
  const std::uint64_t settled = audience_.pongs() + audience_.excused_cut() + pinged;
  poller_.run_until([&] { return audience_.pongs() + audience_.excused_cut() >= settled; },
                    stage_.deadline_ns());
}

void Slow::send_all(Growth& growth) {
  std::int64_t due_ns = now_ns();
  for (std::size_t sent = 0; sent < settings_.messages; ++sent) {
    poller_.run_until([] { return false; }, std::min(due_ns, stage_.deadline_ns()));
    if (!publisher_.is_open() || now_ns() >= stage_.deadline_ns()) return;
    publisher_.publish();
    audience_.expect_one_more();
    poller_.run_until([&] { return audience_.owed() == 0; }, stage_.deadline_ns());
    due_ns += settings_.interval_us * 1000;
    growth.look();
    stage_.report("messages", publisher_.published(), 2 * settings_.messages);
  }
}

Measurement Slow::run() {
  Measurement measurement;
  stage_.open(poller_, publisher_.crowd(), 1);
  stage_.open(poller_, crowd_, crowd_.size());
  Growth unused(0);
  send_all(unused);
  const Latency before = audience_.take_latency();
  const std::uint64_t deliveries_before = audience_.deliveries();

  const std::size_t slow = stop_some();
  Growth growth(target_.pid);
  stage_.begin();
  send_all(growth);
  stage_.end(measurement);
  resume();

  audience_.enter(measurement);
  measurement.refused += publisher_.refused();
  measurement.operations -= deliveries_before;
  measurement.expected = (settings_.subscribers - slow) * settings_.messages;
  measurement.latency = audience_.take_latency();
  measurement.figures = {{"p99_before_ms", to_ms(before.percentile_ns(0.99))},
                         {"slow_cut", static_cast<double>(audience_.excused_cut())}};
  if (growth.known()) {
    measurement.figures.push_back({"server_growth_bytes", static_cast<double>(growth.most_bytes())});
  }
  return measurement;
}

}  // namespace

Measurement run_slow(const Target& target, const SlowSettings& settings) {
  return Slow(target, settings).run();
}

}  // namespace roomcast::bench

// One big room is fanned out to without pause. Does anybody else have to wait for it?

#include <algorithm>
#include <array>
#include <functional>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/audience.h"
#include "scenario/probes.h"
#include "scenario/publisher.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"

namespace roomcast::bench {

namespace {

constexpr std::int64_t probe_interval_ns = 10'000'000;
/// Messages that have not arrived everywhere, so that the server always has the next one before it is done.
constexpr std::uint64_t messages_under_way = 4;

class Fair {
 public:
  Fair(const Target& target, const FairSettings& settings)
      : settings_(settings),
        stage_(target, settings.common),
        audience_(settings.subscribers),
        crowd_(poller_, target,
               {.kind = settings.common.kind,
                .clients = settings.subscribers,
                .path = [](std::size_t) { return one_room; }},
               audience_),
        publisher_(poller_, target, one_room, settings.message_bytes),
        echo_(probe_poller_, target, min_message_bytes),
        ping_(probe_poller_, target),
        connect_(probe_poller_, target) {
    poller_.put_first(probe_poller_);
  }

  Measurement run();

 private:
  void open();
  /// Turns until `done`, and keeps the probes going meanwhile.
  void run_until(const std::function<bool()>& done);
  void keep_busy();
  [[nodiscard]] bool probe_waits() const;

  const FairSettings& settings_;
  Stage stage_;
  Poller probe_poller_;
  Poller poller_;
  Audience audience_;
  Crowd crowd_;
  Publisher publisher_;
  EchoProbe echo_;
  PingProbe ping_;
  ConnectProbe connect_;
  std::array<Probe*, 3> probes_{&echo_, &ping_, &connect_};
};

void Fair::open() {
  stage_.open(poller_, publisher_.crowd(), 1);
  stage_.open(poller_, echo_.crowd(), 1);
  stage_.open(poller_, ping_.crowd(), 1);
  stage_.open(poller_, crowd_, crowd_.size());
}

void Fair::keep_busy() {
  while (publisher_.is_open() && crowd_.open() > 0 && audience_.owed() < messages_under_way * crowd_.open()) {
    publisher_.publish();
    audience_.expect_one_more();
  }
}

void Fair::run_until(const std::function<bool()>& done) {
  while (!done() && now_ns() < stage_.deadline_ns()) {
    std::int64_t until_ns = stage_.deadline_ns();
    for (Probe* probe : probes_) {
      probe->ask_when_due();
      until_ns = std::min(until_ns, probe->next_ns());
    }
    poller_.turn(until_ns);
  }
}

bool Fair::probe_waits() const { return echo_.waits() || ping_.waits() || connect_.waits(); }

Measurement Fair::run() {
  Measurement measurement;
  open();
  for (Probe* probe : probes_)
    probe->begin(probe_interval_ns);
  const std::int64_t end_ns = now_ns() + settings_.seconds * 1'000'000'000;
  const auto total = static_cast<std::uint64_t>(settings_.seconds);
  stage_.begin();
  run_until([&] {
    keep_busy();
    const std::int64_t left_ns = end_ns - now_ns();
    stage_.report("seconds",
                  total - static_cast<std::uint64_t>(std::max<std::int64_t>(left_ns, 0) / 1'000'000'000),
                  total);
    return left_ns <= 0 || !publisher_.is_open();
  });
  run_until([&] { return audience_.owed() == 0 && !probe_waits(); });
  stage_.end(measurement);

  audience_.enter(measurement);
  measurement.expected = settings_.subscribers * publisher_.published();
  measurement.refused += publisher_.refused() + echo_.refused() + ping_.refused() + connect_.refused();
  measurement.latency = echo_.latency();
  measurement.figures = {{"pings_answered", static_cast<double>(ping_.answered())},
                         {"ping_p99_ms", to_ms(ping_.latency().percentile_ns(0.99))},
                         {"connects", static_cast<double>(connect_.answered())},
                         {"connect_p99_ms", to_ms(connect_.latency().percentile_ns(0.99))}};
  return measurement;
}

}  // namespace

Measurement run_fair(const Target& target, const FairSettings& settings) {
  return Fair(target, settings).run();
}

}  // namespace roomcast::bench

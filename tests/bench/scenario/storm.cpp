// All clients of a room are cut and connect again at once. Are all let in, and do clients of another room
// notice?

#include <algorithm>
#include <functional>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/audience.h"
#include "scenario/publisher.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"

namespace roomcast::bench {

namespace {

constexpr const char* quiet_room = "/rooms/quiet";
constexpr std::int64_t message_interval_ns = 10'000'000;
constexpr std::int64_t quiet_ns = 2'000'000'000;
/// So many are cut, or start to connect, before the watchers are looked after again: about a millisecond.
constexpr std::size_t batch = 32;
/// So many connect at a time when it is no storm.
constexpr std::size_t usual_at_once = 64;

class Returners final : public CrowdListener {
 public:
  /// How many had to say something twice, because the server's backlog was full.
  [[nodiscard]] std::uint64_t delayed() const { return delayed_; }
  void forget() { delayed_ = 0; }

 private:
  void on_open(Client& client) override {
    if (client.resent() > 0) ++delayed_;
  }

  std::uint64_t delayed_ = 0;
};

class Storm {
 public:
  Storm(const Target& target, const StormSettings& settings)
      : stage_(target, settings.common),
        watchers_(settings.watchers),
        watcher_crowd_(watch_poller_, target, members(settings.common.kind, settings.watchers, quiet_room),
                       watchers_),
        publisher_(watch_poller_, target, quiet_room, min_message_bytes),
        crowd_(poller_, target, members(settings.common.kind, settings.clients, "/rooms/bench"), returners_) {
    poller_.put_first(watch_poller_);
  }

  Measurement run();

 private:
  static CrowdSettings members(const ClientKind& kind, std::size_t clients, const char* path) {
    return {
        .kind = kind, .clients = clients, .at_once = clients, .path = [path](std::size_t) { return path; }};
  }

  void cut_all();
  /// Starts all that are idle, and waits until none is under way; at most `at_once` are at a time.
  void bring_in(std::size_t at_once);
  /// Publishes when it is time to; sleeps until then, or until something happens, when `may_sleep`.
  void turn(bool may_sleep);
  void run_until(const std::function<bool()>& done, std::int64_t deadline_ns);

  Stage stage_;
  Poller watch_poller_;
  Poller poller_;
  Audience watchers_;
  Crowd watcher_crowd_;
  Publisher publisher_;
  Returners returners_;
  Crowd crowd_;
  std::int64_t publish_next_ns_ = 0;
};

void Storm::turn(bool may_sleep) {
  const std::int64_t now = now_ns();
  if (publisher_.is_open() && now >= publish_next_ns_) {
    publish_next_ns_ = std::max(now, publish_next_ns_ + message_interval_ns);
    publisher_.publish();
    watchers_.expect_one_more();
  }
  poller_.turn(may_sleep ? std::min(publish_next_ns_, stage_.deadline_ns()) : now);
}

void Storm::run_until(const std::function<bool()>& done, std::int64_t deadline_ns) {
  while (!done() && publisher_.is_open() && now_ns() < deadline_ns)
    turn(true);
}

void Storm::cut_all() {
  for (std::size_t index = 0; index < crowd_.size(); ++index) {
    crowd_[index].cut();
    if (index % batch == 0) turn(false);
  }
}

void Storm::bring_in(std::size_t at_once) {
  for (std::size_t index = 0; index < crowd_.size(); ++index) {
    run_until([&] { return crowd_.under_way() < at_once; }, stage_.deadline_ns());
    if (crowd_[index].state() == Client::State::idle) crowd_.start(index);
    if (index % batch == 0) turn(false);
    stage_.report("connections", crowd_.open(), crowd_.size());
  }
  run_until([&] { return crowd_.under_way() == 0; }, stage_.deadline_ns());
}

Measurement Storm::run() {
  Measurement measurement;
  measurement.expected = crowd_.size();
  stage_.open(watch_poller_, watcher_crowd_, watcher_crowd_.size());
  stage_.open(watch_poller_, publisher_.crowd(), 1);
  bring_in(usual_at_once);
  (void)watchers_.take_latency();
  run_until([] { return false; }, std::min(now_ns() + quiet_ns, stage_.deadline_ns()));
  const Latency quiet = watchers_.take_latency();
  returners_.forget();

  stage_.begin();
  cut_all();
  bring_in(crowd_.size());
  run_until([&] { return watchers_.owed() == 0; }, stage_.deadline_ns());
  stage_.end(measurement);

  Measurement watched;
  watchers_.enter(watched);
  measurement.operations = crowd_.open();
  measurement.faults = watched.faults;
  measurement.refused = publisher_.refused() + watched.refused + crowd_.refused() + crowd_.cut();
  measurement.latency = watchers_.take_latency();
  measurement.figures = {{"back_seconds", to_ms(measurement.wall_ns) / 1000},
                         {"watcher_p99_before_ms", to_ms(quiet.percentile_ns(0.99))},
                         {"delayed_connects", static_cast<double>(returners_.delayed())}};
  return measurement;
}

}  // namespace

Measurement run_storm(const Target& target, const StormSettings& settings) {
  return Storm(target, settings).run();
}

}  // namespace roomcast::bench

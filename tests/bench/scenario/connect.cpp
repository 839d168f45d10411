// One life after the other: connect, handshake, and gone again, `at_once` of them side by side.

#include <algorithm>
#include <vector>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"

namespace roomcast::bench {

namespace {

class Lives final : private CrowdListener {
 public:
  Lives(Poller& poller, const Target& target, const ConnectSettings& settings)
      : started_ns_(std::min(settings.at_once, settings.connections)),
        crowd_(poller, target,
               {.kind = settings.common.kind,
                .clients = started_ns_.size(),
                .at_once = started_ns_.size(),
                .resume_tls = settings.resume,
                .path = [](std::size_t) { return "/rooms/bench"; }},
               *this) {}

  void start(std::uint64_t lives) {
    const auto at_first = static_cast<std::size_t>(std::min<std::uint64_t>(lives, crowd_.size()));
    left_ = lives - at_first;
    crowd_.start_first(at_first);
  }
  [[nodiscard]] bool done() const { return left_ == 0 && crowd_.open() + crowd_.under_way() == 0; }
  [[nodiscard]] std::uint64_t lived() const { return crowd_.opened(); }

  void enter(Measurement& measurement) const {
    measurement.operations = crowd_.opened();
    measurement.refused = crowd_.refused() + crowd_.cut();
    measurement.latency = latency_;
  }

 private:
  void on_start(Client& client) override { started_ns_[client.index()] = now_ns(); }

  void on_open(Client& client) override {
    latency_.add(now_ns() - started_ns_[client.index()]);
    client.hang_up();
  }

  void on_closed(Client& client, Ended /*ended*/) override {
    if (left_ == 0) return;
    --left_;
    crowd_.start(client.index());
  }

  std::uint64_t left_ = 0;  ///< lives that have not begun
  std::vector<std::int64_t> started_ns_;
  Latency latency_;
  Crowd crowd_;
};

}  // namespace

Measurement run_connect(const Target& target, const ConnectSettings& settings) {
  Stage stage(target, settings.common);
  Poller poller;
  Lives lives(poller, target, settings);
  Measurement measurement;
  measurement.expected = settings.connections;
  stage.run_in_blocks(measurement, settings.connections, settings.at_once, [&](std::uint64_t connections) {
    lives.start(connections);
    return stage.run_until(
        poller, "connections", settings.connections, [&] { return lives.lived(); },
        [&] { return lives.done(); });
  });
  lives.enter(measurement);
  return measurement;
}

}  // namespace roomcast::bench

// One connection after the other: connect, handshake, close, `at_once` of them side by side.

#include <algorithm>
#include <string>
#include <vector>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"

namespace roomcast::bench {

namespace {

std::string path_of(std::size_t client, std::size_t rooms) {
  if (rooms == 0) return "/echo";
  return rooms == 1 ? one_room : one_room + std::to_string(client % rooms);
}

class Connections final : private CrowdListener {
 public:
  Connections(Poller& poller, const Target& target, const ConnectSettings& settings)
      : ending_(settings.ending),
        started_ns_(std::min(settings.at_once, settings.connections)),
        crowd_(poller, target,
               {.kind = settings.common.kind,
                .clients = started_ns_.size(),
                .at_once = started_ns_.size(),
                .resume_tls = settings.resume,
                .path = [rooms = settings.rooms](std::size_t client) { return path_of(client, rooms); }},
               *this) {}

  void start(std::uint64_t connections) {
    const auto at_first = static_cast<std::size_t>(std::min<std::uint64_t>(connections, crowd_.size()));
    left_ = connections - at_first;
    crowd_.start_first(at_first);
  }
  [[nodiscard]] bool done() const { return left_ == 0 && crowd_.open() + crowd_.under_way() == 0; }
  [[nodiscard]] std::uint64_t opened() const { return crowd_.opened(); }

  void enter(Measurement& measurement) const {
    measurement.operations = crowd_.opened();
    measurement.refused = crowd_.refused() + crowd_.cut();
    measurement.latency = latency_;
  }

 private:
  void on_start(Client& client) override { started_ns_[client.index()] = now_ns(); }

  void on_open(Client& client) override {
    latency_.add(now_ns() - started_ns_[client.index()]);
    if (ending_ == Ending::close_frame) {
      client.close();
    } else {
      client.hang_up();
    }
  }

  void on_closed(Client& client, Ended /*ended*/) override {
    if (left_ == 0) return;
    --left_;
    crowd_.start(client.index());
  }

  Ending ending_;
  std::uint64_t left_ = 0;  ///< connections that have not begun
  std::vector<std::int64_t> started_ns_;
  Latency latency_;
  Crowd crowd_;
};

}  // namespace

Measurement run_connect(const Target& target, const ConnectSettings& settings) {
  Stage stage(target, settings.common);
  Poller poller;
  Connections connections(poller, target, settings);
  Measurement measurement;
  measurement.expected = settings.connections;
  stage.run_in_blocks(measurement, settings.connections, settings.at_once, [&](std::uint64_t count) {
    connections.start(count);
    return stage.run_until(
        poller, "connections", settings.connections, [&] { return connections.opened(); },
        [&] { return connections.done(); });
  });
  connections.enter(measurement);
  return measurement;
}

}  // namespace roomcast::bench

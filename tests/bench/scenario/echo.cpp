// Round trips over /echo. Each client has one message on its way and sends the next when that is back.

#include <string>
#include <vector>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "load/tally.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"

namespace roomcast::bench {

namespace {

class Echoes final : private CrowdListener {
 public:
  Echoes(Poller& poller, const Target& target, const EchoSettings& settings)
      : message_(make_message(settings.message_bytes)),
        sent_(settings.clients, 0),
        crowd_(poller, target,
               {.kind = {.deflate = settings.common.kind.deflate},
                .clients = settings.clients,
                .path = [](std::size_t) { return "/echo"; }},
               *this) {
    for (std::size_t index = 0; index < settings.clients; ++index) {
      tallies_.emplace_back(static_cast<std::uint16_t>(index), std::uint16_t{1});
    }
  }

  [[nodiscard]] Crowd& crowd() { return crowd_; }
  [[nodiscard]] std::uint64_t round_trips() const { return round_trips_; }
  [[nodiscard]] bool done() const { return (left_ == 0 && under_way_ == 0) || crowd_.open() == 0; }

  void start(std::uint64_t round_trips) {
    left_ = round_trips;
    for (std::size_t index = 0; index < crowd_.size(); ++index) {
      if (crowd_[index].state() == Client::State::open) send_next(crowd_[index]);
    }
  }

  void enter(Measurement& measurement) const {
    measurement.operations = round_trips_;
    measurement.refused = crowd_.refused() + crowd_.cut();
    measurement.latency = latency_;
    measurement.faults = faults_;
    for (std::size_t index = 0; index < tallies_.size(); ++index) {
      tallies_[index].finish(sent_[index], measurement.faults);
    }
  }

 private:
  void send_next(Client& client) {
    if (left_ == 0) return;
    --left_;
    ++under_way_;
    const std::uint32_t index = client.index();
    write_stamp(message_, {static_cast<std::uint16_t>(index), sent_[index]++, now_ns()});
    client.send(message_);
  }

  void on_message(Client& client, const std::optional<Stamp>& stamp) override {
    if (!stamp) {
      ++faults_.unstamped;
      return;
    }
    Tally& tally = tallies_[client.index()];
    const std::uint32_t awaited = tally.next(0);
    tally.note(*stamp, faults_);
    if (tally.next(0) == awaited) return;
    latency_.add(now_ns() - stamp->sent_ns);
    ++round_trips_;
    --under_way_;
    send_next(client);
  }

  void on_closed(Client& client, Ended /*ended*/) override {
    if (tallies_[client.index()].next(0) < sent_[client.index()]) --under_way_;
  }

  std::uint64_t left_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint64_t round_trips_ = 0;
  std::string message_;
  std::vector<std::uint32_t> sent_;
  std::vector<Tally> tallies_;
  Faults faults_;
  Latency latency_;
  Crowd crowd_;
};

}  // namespace

Measurement run_echo(const Target& target, const EchoSettings& settings) {
  Stage stage(target, settings.common);
  Poller poller;
  Echoes echoes(poller, target, settings);
  Measurement measurement;
  measurement.expected = settings.round_trips;
  stage.open(poller, echoes.crowd(), settings.clients);
  stage.run_in_blocks(measurement, settings.round_trips, settings.clients, [&](std::uint64_t round_trips) {
    echoes.start(round_trips);
    return stage.run_until(
        poller, "round trips", settings.round_trips, [&] { return echoes.round_trips(); },
        [&] { return echoes.done(); });
  });
  echoes.enter(measurement);
  return measurement;
}

}  // namespace roomcast::bench

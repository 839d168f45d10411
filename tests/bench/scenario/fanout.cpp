// Subscribers in rooms, and some of them publish there: at a fixed rate, or as fast as the server carries it.

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/assembly.h"
#include "scenario/pace.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"
#include "serve/process_facts.h"

namespace roomcast::bench {

namespace {

/// Of each publisher, before the part that counts: the first messages cost more than those that follow.
constexpr std::uint32_t warm_up_messages = 20;
/// One of so many subscribers reads the clock at each delivery.
constexpr std::size_t sampled_each = 64;
/// When nothing has come for so long, nothing will.
constexpr std::int64_t quiet_ns = 5'000'000'000;
/// How often it is looked for that.
constexpr std::int64_t look_ns = 250'000'000;

std::string path_of(std::size_t room) { return "/rooms/bench-" + std::to_string(room); }

class Fanout final : private CrowdListener {
 public:
  Fanout(const Target& target, const FanoutSettings& settings);
  Measurement run();

 private:
  /// What a publisher hears over a connection of its own, in rooms that are not read by WebSocket.
  class Ear final : public CrowdListener {
   public:
    explicit Ear(Pace& pace) : pace_(pace) {}

   private:
    void on_message(Client& client, const std::optional<Stamp>& stamp) override {
      if (stamp && stamp->publisher == client.index()) pace_.on_back(client.index());
    }

    Pace& pace_;
  };

  void on_open(Client& client) override { assembly_.on_open(client.index()); }
  void on_message(Client& client, const std::optional<Stamp>& stamp) override;
  void on_closed(Client& client, Ended ended) override;

  [[nodiscard]] std::unique_ptr<Pace> make_pace();
  [[nodiscard]] bool has_own_connections() const { return settings_.common.kind.way != Way::websocket; }
  [[nodiscard]] Client& publisher(std::size_t index);
  [[nodiscard]] bool has_all_publishers();
  [[nodiscard]] bool open_all();
  [[nodiscard]] std::string complaint() const;
  void send(std::size_t index, std::uint32_t count);
  /// Each publisher sends so many, and all members of its room get them; false if that did not happen.
  bool publish(std::uint32_t messages);

  const FanoutSettings& settings_;
  Stage stage_;
  Poller poller_;
  Assembly assembly_;
  std::unique_ptr<Pace> pace_;
  Crowd crowd_;
  Ear ear_{*pace_};
  Crowd publishers_;                   ///< empty where subscribers publish
  std::vector<std::string> messages_;  ///< as many as are ever sent at once
  std::vector<std::string_view> batch_;
  std::uint64_t unsent_ = 0;
  Latency latency_;
};

Fanout::Fanout(const Target& target, const FanoutSettings& settings)
    : settings_(settings),
      stage_(target, settings.common),
      assembly_(settings.subscribers, settings.rooms, settings.publishers),
      pace_(make_pace()),
      crowd_(poller_, target,
             {.kind = settings.common.kind,
              .clients = settings.subscribers,
              .path = [this](std::size_t index) { return path_of(assembly_.room_of_subscriber(index)); }},
             *this),
      publishers_(poller_, target,
                  {.kind = {.dialect = settings.common.kind.dialect},
                   .clients = has_own_connections() ? assembly_.publishers() : 0,
                   .path = [this](std::size_t index) { return path_of(assembly_.room_of_publisher(index)); }},
                  ear_),
      messages_(std::max<std::size_t>(1, settings.window), make_message(settings.message_bytes)) {}

std::unique_ptr<Pace> Fanout::make_pace() {
  Pace::Send send_some = [this](std::size_t index, std::uint32_t count) { send(index, count); };
  if (settings_.interval_us > 0) {
    return std::make_unique<FixedRate>(settings_.rooms, settings_.publishers, settings_.interval_us * 1000,
                                       std::move(send_some));
  }
  return std::make_unique<Window>(assembly_.publishers(), static_cast<std::uint32_t>(settings_.window),
                                  std::move(send_some));
}

Client& Fanout::publisher(std::size_t index) {
  return has_own_connections() ? publishers_[index] : crowd_[assembly_.subscriber_of(index)];
}

bool Fanout::has_all_publishers() {
  for (std::size_t i = 0; i < assembly_.publishers(); ++i) {
    if (publisher(i).state() != Client::State::open) return false;
  }
  return true;
}

bool Fanout::open_all() {
  if (!stage_.open(poller_, publishers_, publishers_.size())) return false;
  return stage_.open(poller_, crowd_, crowd_.size());
}

void Fanout::on_message(Client& client, const std::optional<Stamp>& stamp) {
  const std::size_t subscriber = client.index();
  if (!assembly_.on_message(subscriber, stamp)) return;
  if (subscriber % sampled_each == 0) latency_.add(now_ns() - stamp->sent_ns);
  const std::size_t room = assembly_.room_of_subscriber(subscriber);
  if (assembly_.owed_in(room) == 0) pace_->on_settled(room, now_ns());
  const bool is_own = !has_own_connections() && assembly_.subscriber_of(stamp->publisher) == subscriber;
  if (is_own) pace_->on_back(stamp->publisher);
}

void Fanout::on_closed(Client& client, Ended /*ended*/) {
  const std::size_t room = assembly_.room_of_subscriber(client.index());
  const bool was_settled = assembly_.owed_in(room) == 0;
  assembly_.on_closed(client.index());
  if (!was_settled && assembly_.owed_in(room) == 0) pace_->on_settled(room, now_ns());
}

void Fanout::send(std::size_t index, std::uint32_t count) {
  Stamp stamp{static_cast<std::uint16_t>(index), assembly_.sent(index), now_ns()};
  batch_.clear();
  for (std::uint32_t i = 0; i < count; ++i, ++stamp.number) {
    write_stamp(messages_[i], stamp);
    batch_.push_back(messages_[i]);
  }
  unsent_ -= count;
  assembly_.on_sent(index, count);
  publisher(index).send(batch_);
}

bool Fanout::publish(std::uint32_t messages) {
  unsent_ = std::uint64_t{messages} * assembly_.publishers();
  std::uint64_t seen = assembly_.deliveries();
  const std::uint64_t expected = seen + unsent_ * settings_.subscribers / settings_.rooms;
  std::int64_t seen_ns = now_ns();
  std::int64_t look_next_ns = seen_ns;
  pace_->begin(messages, seen_ns);
  while (unsent_ > 0 || assembly_.owed() > 0) {
    const std::int64_t now = now_ns();
    const std::int64_t wake_ns = pace_->keep(now);
    if (now >= look_next_ns) {
      look_next_ns = now + look_ns;
      const bool has_moved = std::exchange(seen, assembly_.deliveries()) != assembly_.deliveries();
      if (has_moved || assembly_.owed() == 0) seen_ns = now;
      if (now - seen_ns > quiet_ns || now >= stage_.deadline_ns() || !has_all_publishers()) return false;
      stage_.report("deliveries", seen, expected);
    }
    poller_.turn(std::min(wake_ns, look_next_ns));
  }
  return true;
}

Measurement Fanout::run() {
  Measurement measurement;
  measurement.expected = settings_.messages * settings_.publishers * settings_.subscribers;
  if (!open_all() && crowd_.opened() == 0) throw std::runtime_error("no client was let in: " + complaint());
  if (crowd_.open() == crowd_.size() && publish(warm_up_messages)) {
    const std::uint64_t before = assembly_.deliveries();
    const std::int64_t own_cpu_before_ns = cpu_ns(getpid());
    latency_ = {};
    // Saturated means several windows one after the other.
    const std::uint64_t least = settings_.interval_us > 0 ? 1 : 4 * settings_.window;
    stage_.run_in_blocks(measurement, settings_.messages, least, [this](std::uint64_t messages) {
      return publish(static_cast<std::uint32_t>(messages));
    });
    measurement.operations = assembly_.deliveries() - before;
    const auto own_cpu_ns = static_cast<double>(cpu_ns(getpid()) - own_cpu_before_ns);
    measurement.figures = {{"client_cpu_ns_each", own_cpu_ns / static_cast<double>(std::max<std::uint64_t>(
                                                                   1, measurement.operations))}};
  }
  measurement.latency = latency_;
  measurement.faults = assembly_.faults();
  measurement.refused = crowd_.refused() + crowd_.cut() + publishers_.refused() + publishers_.cut();
  return measurement;
}

std::string Fanout::complaint() const {
  return publishers_.first_complaint().empty() ? crowd_.first_complaint() : publishers_.first_complaint();
}

}  // namespace

Measurement run_fanout(const Target& target, const FanoutSettings& settings) {
  return Fanout(target, settings).run();
}

}  // namespace roomcast::bench

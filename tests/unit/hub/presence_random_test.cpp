// A watcher knows at any time who is present: a snapshot and then exactly the changes after it, whatever
// joins, leaves and waits meanwhile.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/hub_fixture.h"

namespace presence_random_test {

using namespace roomcast;

namespace {

using Names = std::set<std::string>;

/// Names that begin with a capital are those of users: "F" of user:F.
hub::Author presence_author(const std::string& name) {
  if (name.empty() || name[0] >= 'a') return hub::Author(name);
  return {name, "user:" + name};
}

Names names_of(const hub::PresenceSnapshot& snapshot) {
  Names names;
  for (const hub::Author& member : *snapshot.members)
    names.insert(std::string(member.name()));
  return names;
}

/// A connection that keeps, if it watches, its own idea of who is present, and notes contradictions.
struct Mirror final : hub::Subscriber {
  Mirror(hub::Hub& h, const base::Clock& c, const std::string& n, bool watches)
      : hub(h), clock(c), name(n), is_watching(watches) {
    hub::Interest interest;
    interest.author = presence_author(name);
    interest.watch_presence = watches;
    membership = hub.subscribe("lobby", *this, interest);
  }
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {
    has_joined = true;
    take(hub.presence("lobby"));
  }
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& /*batch*/, std::size_t /*from*/) override {}
  void on_presence(hub::Membership& /*membership*/, hub::PresenceUpdate& news) override {
    using What = hub::PresenceChange::What;
    const hub::PresenceChange& change = news.change();
    const std::string who(change.member.name());
    if (!is_watching || !has_joined) problem = "an update before it began";
    if (change.what == What::joined && (!names || !names->insert(who).second)) problem = "joined twice";
    if (change.what == What::left && (!names || names->erase(who) == 0)) problem = "left without being here";
    if (change.what == What::listed || change.what == What::counted) {
      take(change.snapshot);
      if (clock.monotonic_ms() < number_told_ms + 1'000) problem = "numbers more often than once a second";
      number_told_ms = clock.monotonic_ms();
    }
  }
  void take(const hub::PresenceSnapshot& snapshot) {
    count = snapshot.count;
    names = snapshot.members ? std::optional(names_of(snapshot)) : std::nullopt;
  }

  hub::Hub& hub;
  const base::Clock& clock;
  std::string name;
  bool is_watching;
  bool has_joined = false;
  std::optional<Names> names;  // nothing in a crowd
  std::size_t count = 0;
  std::int64_t number_told_ms = -1'000;
  std::string problem;
  std::unique_ptr<hub::Membership> membership;
};

struct Schedule : test::HubFixture<> {
  static constexpr std::int64_t grace_ms = 3'000;
  static constexpr std::int64_t step_ms = 50;

  Schedule(std::uint32_t seed, std::size_t crowd_limit, std::size_t most)
      : random(seed), crowd(crowd_limit), connections_max(most) {
    hub.set_rules(hub::RoomRules({part::room_settings({}).history, {grace_ms, crowd}}));
    while (clients.size() < connections_max * 9 / 10)
      come();
  }

  std::size_t below(std::size_t end) { return random() % end; }

  void act() {
    const std::size_t what = below(100);
    if (what < 40) {
      come();
    } else if (what < 75) {
      go();
    } else if (what < 85) {
      hub.do_slice();
    } else if (what < 97) {
      pass(step_ms * static_cast<std::int64_t>(1 + below(10)));
      compare();
    } else {
      pass(grace_ms);
      pass(1'000);
      pass(1'000);
      compare();
      compare_numbers();
    }
  }
  void come() {
    if (clients.size() >= connections_max) return;
    const std::size_t who = below(12);
    const std::string name = who < 9 ? std::string(1, static_cast<char>((who < 5 ? 'a' : 'A') + who)) : "";
    clients.push_back(std::make_unique<Mirror>(hub, clock, name, below(2) == 0));
    if (name.empty()) return;
    ++connections[name];
    gone_ms.erase(name);
  }
  void go() {
    if (clients.empty()) return;
    const std::size_t index = below(clients.size());
    const std::string name = clients[index]->name;
    clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(index));
    if (!name.empty() && --connections[name] == 0) gone_ms[name] = clock.monotonic_ms();
  }
  void pass(std::int64_t ms) {
    scheduler.run_turn(hub);
    for (std::int64_t passed = 0; passed < ms; passed += step_ms) {
      clock.advance(step_ms);
      deadlines.sweep();
      scheduler.run_turn(hub);
    }
  }

  /// Who is present, worked out from what was done.
  [[nodiscard]] Names names() const {
    Names here;
    for (const auto& [name, count] : connections) {
      const auto gone = gone_ms.find(name);
      const bool is_missed = gone != gone_ms.end() && clock.monotonic_ms() - gone->second < grace_ms;
      if (count != 0 || is_missed) here.insert(name);
    }
    return here;
  }
  [[nodiscard]] std::size_t anonymous() const {
    std::size_t count = 0;
    for (const auto& client : clients)
      count += client->name.empty() ? 1 : 0;
    return count;
  }

  void compare() {
    const hub::PresenceSnapshot now = hub.presence("lobby");
    const Names here = names();
    REQUIRE(now.count == here.size() + anonymous());
    REQUIRE(now.anonymous == anonymous());
    if (now.members) REQUIRE(names_of(now) == here);
    if (now.count > crowd) REQUIRE_FALSE(now.members.has_value());
    for (const auto& client : clients) {
      REQUIRE(client->problem == "");
      if (!client->is_watching) continue;
      // A crowd may be announced up to a second later.
      if (now.members) REQUIRE(client->names == here);
    }
  }
  /// After a quiet second numbers are right as well, and no crowd is left that is none.
  void compare_numbers() {
    const hub::PresenceSnapshot now = hub.presence("lobby");
    REQUIRE(now.members.has_value() == (now.count <= crowd));
    for (const auto& client : clients) {
      if (client->is_watching && !now.members) REQUIRE(client->count == now.count);
    }
  }

  std::mt19937 random;
  std::size_t crowd;
  std::size_t connections_max;
  std::vector<std::unique_ptr<Mirror>> clients;
  std::map<std::string, std::size_t> connections;
  std::map<std::string, std::int64_t> gone_ms;
};

void run(std::size_t crowd, std::size_t connections_max, int schedules, int steps) {
  const std::uint32_t first = std::random_device{}();
  for (int i = 0; i < schedules; ++i) {
    const std::uint32_t seed = first + static_cast<std::uint32_t>(i);
    CAPTURE(seed);
    Schedule schedule(seed, crowd, connections_max);
    for (int step = 0; step < steps; ++step)
      schedule.act();
  }
}

}  // namespace

TEST_CASE("presence: at random, every watcher always knows the names, none twice and none missing") {
  run(1'000, 40, 30, 1'000);
}

TEST_CASE("presence: at random, around the limit every watcher knows the names, or how large the crowd is") {
  run(8, 14, 30, 1'000);
}

TEST_CASE("presence: at random, watchers that are served in slices miss nothing") {
  run(2'000, 700, 2, 2'500);
}

}  // namespace presence_random_test

// Presence in rooms that servers share: two hubs, whose engines bring what one announces to the other.
#include "hub/remote_members.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unit/hub/presence_fixture.h"

namespace remote_members_test {

using namespace roomcast;
using namespace roomcast::test::presence;

namespace {

struct SharedFixture : Fixture {
  SharedFixture() { engine.shares = true; }
};

struct Servers {
  /// `ms` pass on both; what is announced meanwhile arrives.
  void pass(std::int64_t ms) {
    constexpr std::int64_t step_ms = 50;
    for (std::int64_t passed = 0; passed < ms; passed += step_ms) {
      for (SharedFixture& server : servers)
        server.pass(step_ms);
      exchange();
    }
  }
  void exchange() {
    for (std::size_t from = 0; from < 2; ++from) {
      SharedFixture& other = servers[1 - from];
      for (auto& [room, members] : std::exchange(servers[from].engine.announced, {})) {
        ++announced;
        other.hub.on_presence(
            room, from, {hub::NodeChange::What::all, members.names, {}, members.named, members.nameless});
      }
      other.turn();
    }
  }
  std::array<SharedFixture, 2> servers;
  SharedFixture& a = servers[0];
  SharedFixture& b = servers[1];
  int announced = 0;
};

constexpr std::int64_t told_ms = 400;
constexpr std::int64_t grace_ms = Fixture::grace_ms;

}  // namespace

TEST_CASE("remote members: who joins or leaves on one server does on the other") {
  Servers both;
  const auto watcher = both.a.watch();
  auto ada = both.b.join("ada");
  auto nameless = both.b.join("");
  both.pass(told_ms);
  CHECK(watcher->told() == "+ada");
  CHECK(both.a.here() == "3: ada +2");
  CHECK(both.b.here() == "3: ada +2");
  nameless.reset();
  ada.reset();
  both.pass(told_ms);
  CHECK(both.a.here() == "2: ada +1");
  CHECK(watcher->told().empty());
  both.pass(grace_ms);
  CHECK(watcher->told() == "-ada");
  CHECK(both.a.here() == "1: +1");
  CHECK(both.b.here() == "1: +1");
}

TEST_CASE("remote members: a user on both servers is one member, who leaves with the last connection") {
  Servers both;
  const auto watcher = both.a.watch();
  auto here = both.a.join("Ada=user:ada");
  auto there = both.b.join("Ada=user:ada");
  both.pass(told_ms);
  CHECK(watcher->told() == "+Ada=user:ada");
  CHECK(both.b.here() == "2: Ada=user:ada +1");
  here.reset();
  both.pass(grace_ms + told_ms);
  CHECK(watcher->told().empty());
  there.reset();
  both.pass(grace_ms + told_ms);
  CHECK(watcher->told() == "-Ada=user:ada");
}

TEST_CASE("remote members: a move from one server to the other within the grace time is no event") {
  Servers both;
  const auto watching_a = both.a.watch();
  const auto watching_b = both.b.watch();
  auto ada = both.a.join("ada");
  both.pass(told_ms);
  CHECK(watching_a->told() == "+ada");
  CHECK(watching_b->told() == "+ada");
  for (int i = 0; i < 4; ++i) {
    ada.reset();
    both.pass(grace_ms - told_ms);
    ada = (i % 2 == 0 ? both.b : both.a).join("ada");
    both.pass(2 * grace_ms);
  }
  CHECK(watching_a->told().empty());
  CHECK(watching_b->told().empty());
  CHECK(both.a.here() == "3: ada +2");
}

TEST_CASE("remote members: tabs that come and go are no news, and several changes are told as one") {
  Servers both;
  const auto watcher = both.a.watch();
  both.pass(told_ms);
  const int before = both.announced;
  auto ada = both.b.join("ada");
  auto bob = both.b.join("bob");
  both.pass(told_ms);
  CHECK(both.announced == before + 1);
  for (int i = 0; i < 5; ++i) {
    const auto tab = both.b.join("ada");
    both.pass(told_ms);
    bob = nullptr;
    bob = both.b.join("bob");
    both.pass(told_ms);
  }
  CHECK(both.announced == before + 1);
  CHECK(watcher->told() == "+ada+bob");
}

TEST_CASE("remote members: a new name is announced everywhere") {
  Servers both;
  const auto watcher = both.a.watch();
  auto ada = both.b.join("Ada=user:ada");
  both.pass(told_ms);
  auto again = both.b.join("Ada L.=user:ada");
  both.pass(told_ms);
  CHECK(watcher->told() == "+Ada=user:ada+Ada L.=user:ada");
  CHECK(both.a.here() == "2: Ada L.=user:ada +1");
}

TEST_CASE(
    "remote members: those of a server that is gone leave after the grace time, if they do not return") {
  Servers both;
  const auto watcher = both.a.watch();
  auto ada = both.b.join("ada");
  auto bob = both.b.join("bob");
  both.pass(told_ms);
  CHECK(watcher->told() == "+ada+bob");
  both.a.hub.on_presence("lobby", 1, {hub::NodeChange::What::gone});
  both.a.pass(grace_ms - 100);
  const auto returned = both.a.join("ada");
  both.a.turn();
  CHECK(watcher->told().empty());
  both.a.pass(100);
  CHECK(watcher->told() == "-bob");
  CHECK(both.a.here() == "2: ada +1");
}

TEST_CASE("remote members: a server that comes back in time was never gone") {
  Servers both;
  const auto watcher = both.a.watch();
  auto ada = both.b.join("ada");
  both.pass(told_ms);
  both.a.hub.on_presence("lobby", 1, {hub::NodeChange::What::gone});
  both.a.pass(grace_ms - 100);
  both.a.hub.on_presence("lobby", 1, {hub::NodeChange::What::all, {hub::Author("ada")}, {}, 1, 0});
  both.a.pass(2 * grace_ms);
  CHECK(watcher->told() == "+ada");
}

TEST_CASE("remote members: changes are applied to what was there, and one that does not fit makes a crowd") {
  SharedFixture server;
  const auto watcher = server.watch();
  const auto tell = [&](hub::NodeChange&& change) {
    server.hub.on_presence("lobby", 7, change);
    server.turn();
  };
  using What = hub::NodeChange::What;
  tell({What::all, {hub::Author("ada"), hub::Author("bob")}, {}, 2, 0});
  tell({What::changed, {hub::Author("cy")}, {hub::Author("ada")}, 2, 1});
  CHECK(watcher->told() == "+ada+bob+cy-ada");
  CHECK(server.here() == "4: bob cy +2");
  tell({What::changed, {}, {hub::Author("cy")}, 2, 1});
  CHECK(server.here() == "4: crowd +2");
}

TEST_CASE("remote members: with more than the crowd on a server only numbers are told, once a second") {
  Servers both;
  const auto watcher = both.a.watch();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i)
    clients.push_back(both.b.join("user" + std::to_string(i)));
  both.pass(1'500);
  CHECK(both.a.here() == "6: crowd +1");
  CHECK(watcher->told() == "#6");
  const int before = both.announced;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(both.b.join("more" + std::to_string(i)));
    both.pass(100);
  }
  CHECK(both.announced - before <= 3);
  both.pass(2'000);
  CHECK(both.a.here() == "26: crowd +1");
  clients.clear();
  both.pass(grace_ms + 3'000);
  CHECK(both.a.here() == "1: +1");
}

TEST_CASE("remote members: a room without members here is told, and forgets what has gone") {
  Servers both;
  {
    const auto ada = both.a.join("ada");
    const auto bob = both.b.join("bob");
    both.pass(told_ms);
  }
  both.pass(2 * grace_ms);
  CHECK(both.a.here() == "0: +0");
  CHECK(both.b.here() == "0: +0");
}

TEST_CASE("remote members: without them a room's presence takes as much as before") {
  CHECK(sizeof(hub::PresentMember) == 16);
  SharedFixture alone;
  alone.engine.shares = false;
  const auto nameless = alone.join("");
  alone.pass(1'000);
  CHECK(alone.engine.announced.empty());
}

}  // namespace remote_members_test

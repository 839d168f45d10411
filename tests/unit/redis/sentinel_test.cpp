// The topology of Sentinels over ones that say what a test wants: late, contradicting, silent, gone.
#include "redis/sentinel.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/dialer.h"
#include "support/fake_sentinel.h"

using namespace roomcast;
using redis::SentinelTopology;
using test::FakeSentinel;

namespace sentinel_test {

struct Rig final : redis::Topology::Listener {
  test::SocketFixture fixture;
  net::Dialer dialer{{fixture.loop, fixture.sockets, fixture.deadlines}};
  FakeSentinel one{fixture, "one"};
  FakeSentinel two{fixture, "two"};
  FakeSentinel three{fixture, "three"};
  std::unique_ptr<SentinelTopology> topology;
  std::vector<std::uint16_t> primaries;  // by their ports, as they were told
  redis::ServerAddress last;
  std::vector<std::string> lost;

  Rig() {
    for (FakeSentinel* sentinel : {&one, &two, &three}) {
      sentinel->sentinels = 3;
      sentinel->name(1, 1);
    }
  }
  /// A day passes between polls, so that what happens is not their doing.
  static SentinelTopology::Options without_polls() {
    SentinelTopology::Options made;
    made.poll_ms = 86'400'000;
    made.hurry_ms = 20;
    return made;
  }
  void start(const std::vector<FakeSentinel*>& known, SentinelTopology::Options options = without_polls()) {
    options.name = "main";
    for (const FakeSentinel* sentinel : known)
      options.sentinels.push_back(sentinel->address());
    start_with(std::move(options));
  }
  void start_with(SentinelTopology::Options options) {
    options.wait_ms = 5;
    options.wait_max_ms = 20;
    topology = std::make_unique<SentinelTopology>(
        redis::Connection::Parts{dialer, nullptr, nullptr, fixture.loop, fixture.turn, fixture.deadlines},
        std::move(options));
    topology->start(*this);
  }
  bool await_primary(std::uint16_t port) {
    return fixture.run_until([&] { return !primaries.empty() && primaries.back() == port; });
  }
  bool await_connected(std::size_t count) {
    return fixture.run_until([&] { return topology->stats().connected == count; });
  }
  /// Until each of these has been asked so many times more.
  bool await_asked(const std::vector<FakeSentinel*>& asked, std::size_t times) {
    std::vector<std::size_t> before;
    before.reserve(asked.size());
    for (const FakeSentinel* sentinel : asked)
      before.push_back(sentinel->asked);
    return fixture.run_until([&] {
      for (std::size_t i = 0; i < asked.size(); ++i) {
        if (asked[i]->asked < before[i] + times) return false;
      }
      return true;
    });
  }

 private:
  void on_layout(const redis::Layout& layout) override {
    REQUIRE(layout.shards.size() == 1);
    last = layout.shards[0].address;
    CHECK(layout == redis::Layout::of_one(last));
    primaries.push_back(last.port);
  }
  void on_topology_lost(std::string_view why) override { lost.emplace_back(why); }
};

using Ports = std::vector<std::uint16_t>;

TEST_CASE("sentinel: the primary is told once, with the address that counts") {
  Rig rig;
  rig.one.primary_host = "DB-1.example.org";
  rig.one.name(6'380, 3);
  rig.start({&rig.one});
  CHECK(rig.await_primary(6'380));
  CHECK(rig.last.to_text() == "redis://db-1.example.org:6380");
  CHECK(rig.one.channels == std::vector<std::string>{"+switch-master", "+promoted-slave"});
  rig.topology->doubt();
  CHECK(rig.await_asked({&rig.one}, 3));
  CHECK(rig.primaries.size() == 1);
  CHECK(rig.topology->stats().switches == 0);
}

TEST_CASE("sentinel: an announced failover is followed without a poll") {
  Rig rig;
  rig.start({&rig.one, &rig.two});
  CHECK(rig.await_primary(1));
  CHECK(rig.await_connected(2));
  rig.fixture.run_idle_turns();
  rig.two.name(2, 2);
  SUBCASE("when it is over") { rig.two.announce(); }
  SUBCASE("when the replica is promoted") { rig.two.announce_promotion(); }
  CHECK(rig.await_primary(2));
  CHECK(rig.topology->stats().switches == 1);
  // The other one has heard later, and was asked meanwhile.
  rig.one.name(2, 2);
  CHECK(rig.await_asked({&rig.one, &rig.two}, 1));
  CHECK(rig.primaries == Ports{1, 2});
}

TEST_CASE("sentinel: without announcements one is asked at a time, by turns, and that is enough") {
  Rig rig;
  rig.two.may_subscribe = false;
  SentinelTopology::Options options;
  options.poll_ms = 20;
  options.hurry_ms = 10;
  rig.start({&rig.one, &rig.two, &rig.three}, options);
  CHECK(rig.await_primary(1));
  CHECK(rig.await_connected(3));
  CHECK(rig.await_asked({&rig.one, &rig.two, &rig.three}, 2));
  rig.two.name(2, 2);
  CHECK(rig.await_primary(2));
  // Now they contradict each other, and all are asked until they agree.
  rig.one.name(2, 2);
  rig.three.name(2, 2);
  CHECK(rig.await_asked({&rig.one, &rig.two, &rig.three}, 5));
  CHECK(rig.primaries == Ports{1, 2});
}

TEST_CASE("sentinel: one that names the old primary for long neither hides a failover nor undoes it") {
  Rig rig;
  rig.start({&rig.one, &rig.two, &rig.three});
  CHECK(rig.await_primary(1));
  CHECK(rig.await_connected(3));
  rig.two.name(2, 2);
  rig.topology->doubt();
  CHECK(rig.await_primary(2));
  for (int i = 0; i < 20; ++i) {
    rig.one.announce();
    rig.topology->doubt();
    CHECK(rig.await_asked({&rig.one, &rig.two, &rig.three}, 1));
  }
  CHECK(rig.primaries == Ports{1, 2});
}

TEST_CASE("sentinel: while the primary is doubted all are asked again and again, until one has heard") {
  Rig rig;
  rig.start({&rig.one, &rig.two});
  CHECK(rig.await_primary(1));
  CHECK(rig.await_connected(2));
  rig.topology->doubt();
  CHECK(rig.await_asked({&rig.one, &rig.two}, 10));
  CHECK(rig.primaries.size() == 1);
  rig.two.name(2, 2);
  CHECK(rig.await_primary(2));
}

TEST_CASE("sentinel: however often the primary is doubted, a Sentinel is asked at most every hurry_ms") {
  Rig rig;
  SentinelTopology::Options options = Rig::without_polls();
  options.hurry_ms = 3'600'000;
  rig.start({&rig.one}, options);
  CHECK(rig.await_primary(1));
  rig.fixture.run_idle_turns();
  const std::size_t before = rig.one.asked;
  for (int i = 0; i < 50; ++i) {
    rig.topology->doubt();
    rig.fixture.run_idle_turns(2);
  }
  CHECK(rig.one.asked <= before + 1);
}

TEST_CASE("sentinel: two Sentinels that contradict each other are outvoted by a third with their epoch") {
  Rig rig;
  rig.two.name(2, 1);
  rig.three.name(2, 1);
  rig.start({&rig.one});
  CHECK(rig.await_primary(1));
  rig.one.others = {{"two", rig.two.port()}, {"three", rig.three.port()}};
  rig.one.drop();
  CHECK(rig.await_primary(2));
  CHECK(rig.await_asked({&rig.one, &rig.two, &rig.three}, 3));
  CHECK(rig.primaries == Ports{1, 2});
}

TEST_CASE("sentinel: further Sentinels are taken over, and no one twice") {
  Rig rig;
  rig.one.others = {{"two", rig.two.port()}, {"three", rig.three.port()}, {"", 9}, {"broken", 0}};
  rig.two.others = {{"one", rig.one.port()}, {"three", rig.three.port()}};
  rig.three.others = {{"one", rig.one.port()}, {"two", rig.two.port()}};
  rig.start({&rig.one});
  CHECK(rig.await_connected(3));
  CHECK(rig.topology->stats().sentinels == 3);
  // The only one that is configured is gone, and a failover is heard of all the same.
  rig.one.is_silent = true;
  rig.one.drop();
  rig.three.name(2, 2);
  rig.three.announce();
  CHECK(rig.await_primary(2));
  CHECK(rig.topology->stats().sentinels == 3);
}

TEST_CASE("sentinel: one that is configured by another address than it is known by is asked once") {
  Rig rig;
  rig.one.others = {{"two", rig.two.port()}};
  // Both names are of `two`, as those of a name service are.
  SentinelTopology::Options options = Rig::without_polls();
  options.name = "main";
  options.sentinels = {rig.one.address(), rig.two.address()};
  options.sentinels[1].host = "localhost";
  rig.start_with(std::move(options));
  CHECK(rig.await_primary(1));
  CHECK(rig.fixture.run_until([&] {
    rig.topology->doubt();
    const SentinelTopology::Stats stats = rig.topology->stats();
    return stats.sentinels == 2 && stats.connected == 2;
  }));
}

TEST_CASE("sentinel: a list without end is taken over up to the limit") {
  Rig rig;
  for (std::uint16_t i = 0; i < 100; ++i)
    rig.one.others.push_back({"id-" + std::to_string(i), static_cast<std::uint16_t>(20'000 + i)});
  rig.start({&rig.one});
  CHECK(rig.await_primary(1));
  CHECK(rig.fixture.run_until(
      [&] { return rig.topology->stats().sentinels == SentinelTopology::sentinels_max; }));
  rig.fixture.run_idle_turns();
  CHECK(rig.topology->stats().sentinels == SentinelTopology::sentinels_max);
}

TEST_CASE("sentinel: one that falls silent is connected anew, and others are asked meanwhile") {
  Rig rig;
  SentinelTopology::Options options = Rig::without_polls();
  options.reply_ms = 100;
  rig.start({&rig.one, &rig.two}, options);
  CHECK(rig.await_primary(1));
  CHECK(rig.await_connected(2));
  rig.one.is_silent = true;
  rig.topology->doubt();
  rig.two.name(2, 2);
  CHECK(rig.await_primary(2));
  CHECK(rig.fixture.run_until([&] { return rig.topology->stats().connected == 1; }));
  rig.one.is_silent = false;
  rig.one.name(3, 3);
  CHECK(rig.await_primary(3));
}

TEST_CASE("sentinel: what is wrong is told once, and over when one answers") {
  Rig rig;
  SUBCASE("no Sentinel takes connections") {
    SentinelTopology::Options options = Rig::without_polls();
    options.name = "main";
    options.sentinels = {rig.one.address()};
    options.sentinels[0].port = test::FakeSentinel(rig.fixture, "gone").port();
    rig.start_with(std::move(options));
    CHECK(rig.fixture.run_until([&] { return !rig.lost.empty(); }));
    CHECK(rig.lost[0].starts_with("no Sentinel answers; the last: redis://127.0.0.1:"));
  }
  SUBCASE("the name is wrong") {
    rig.one.knows = "other";
    rig.start({&rig.one});
    CHECK(rig.fixture.run_until([&] { return !rig.lost.empty(); }));
    CHECK(rig.lost[0].find("does not tell the primary \"main\" (redis.sentinel): ERR No such master") !=
          std::string::npos);
    rig.one.knows = "main";
    CHECK(rig.await_primary(1));
  }
  SUBCASE("it is no Sentinel") {
    rig.one.mode = "standalone";
    rig.start({&rig.one});
    CHECK(rig.fixture.run_until([&] { return !rig.lost.empty(); }));
    CHECK(rig.lost[0].find("it is no Sentinel") != std::string::npos);
    CHECK(rig.topology->stats().connected == 0);
  }
  CHECK(rig.fixture.run_until(
      [&, ends = rig.fixture.loop.monotonic_ms() + 100] { return rig.fixture.loop.monotonic_ms() >= ends; }));
  CHECK(rig.lost.size() == 1);
}

TEST_CASE("sentinel: an address that is none changes nothing") {
  Rig rig;
  rig.start({&rig.one});
  CHECK(rig.await_primary(1));
  rig.one.name(2, 2);
  rig.one.primary_host = "user:password@host";
  rig.topology->doubt();
  CHECK(rig.await_asked({&rig.one}, 3));
  CHECK(rig.primaries.size() == 1);
  rig.one.primary_host = "::1";
  CHECK(rig.await_primary(2));
  CHECK(rig.last.to_text() == "redis://[::1]:2");
}

TEST_CASE("sentinel: each gets the credentials of its address, those that are found get the first one's") {
  Rig rig;
  rig.one.others = {{"three", rig.three.port()}};
  SentinelTopology::Options options = Rig::without_polls();
  options.name = "main";
  options.handshake.user = "common";
  options.handshake.password = "pw";
  options.handshake.client_name = "roomcast-a";
  options.sentinels = {rig.one.address(), rig.two.address()};
  options.sentinels[0].user = "first";
  options.sentinels[0].password = "pw1";
  rig.start_with(std::move(options));
  CHECK(rig.await_connected(3));
  CHECK(rig.one.hello == "HELLO 3 AUTH first pw1 SETNAME roomcast-a");
  CHECK(rig.two.hello == "HELLO 3 AUTH common pw SETNAME roomcast-a");
  CHECK(rig.three.hello == "HELLO 3 AUTH first pw1 SETNAME roomcast-a");
}

}  // namespace sentinel_test

// The topology of Sentinels over real ones, with a primary and a replica.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/dialer.h"
#include "redis/sentinel.h"
#include "support/redis_sentinels.h"
#include "support/socket_fixture.h"

using namespace roomcast;
using redis::SentinelTopology;

namespace real_sentinel_test {

struct Rig final : redis::Topology::Listener {
  test::RedisSentinels set;
  test::SocketFixture fixture;
  net::Dialer dialer{{fixture.loop, fixture.sockets, fixture.deadlines}};
  std::unique_ptr<SentinelTopology> topology;
  std::vector<std::uint16_t> primaries;  // by their ports, as they were told
  std::vector<std::string> lost;

  void start(std::vector<redis::ServerAddress> sentinels, std::int64_t poll_ms = 1'000) {
    SentinelTopology::Options options;
    options.name = "main";
    options.sentinels = std::move(sentinels);
    options.wait_max_ms = 200;
    options.poll_ms = poll_ms;
    topology = std::make_unique<SentinelTopology>(
        redis::Connection::Parts{dialer, nullptr, nullptr, fixture.loop, fixture.turn, fixture.deadlines},
        std::move(options));
    topology->start(*this);
    CHECK(await_primary(set.ports[0]));
  }
  bool await_primary(std::uint16_t port) {
    return fixture.run_until([&] { return !primaries.empty() && primaries.back() == port; }, 60'000);
  }
  bool await_connected(std::size_t count) {
    return fixture.run_until([&] { return topology->stats().connected == count; });
  }

 private:
  void on_layout(const redis::Layout& layout) override {
    primaries.push_back(layout.shards.at(0).address.port);
    CHECK(layout.shards[0].address.host == "127.0.0.1");
  }
  void on_topology_lost(std::string_view why) override { lost.emplace_back(why); }
};

using Ports = std::vector<std::uint16_t>;

TEST_CASE(
    "real sentinel: the others are found through one, and a planned failover is heard of without a poll") {
  if (!test::RedisServer::is_installed()) return;
  Rig rig;
  rig.start({rig.set.sentinel(0)}, 3'600'000);
  CHECK(rig.await_connected(3));
  CHECK(rig.topology->stats().sentinels == 3);
  rig.set.fail_over();
  CHECK(rig.await_primary(rig.set.ports[1]));
  CHECK(test::redis_cli(rig.set.ports[1], "role").starts_with("master\n"));
  CHECK(rig.primaries == Ports{rig.set.ports[0], rig.set.ports[1]});
  CHECK(rig.lost.empty());
}

TEST_CASE("real sentinel: a primary and a Sentinel are killed together, and the replica is told") {
  if (!test::RedisServer::is_installed()) return;
  Rig rig;
  rig.start(rig.set.sentinels());
  CHECK(rig.await_connected(3));
  rig.set.kill_sentinel(0);
  rig.set.kill_server(0);
  rig.topology->doubt();
  CHECK(rig.await_primary(rig.set.ports[1]));
  CHECK(rig.primaries == Ports{rig.set.ports[0], rig.set.ports[1]});
  CHECK(rig.topology->stats().sentinels == 3);
  CHECK(rig.lost.empty());
  rig.set.kill_sentinel(1);
  rig.set.kill_sentinel(2);
  CHECK(rig.fixture.run_until([&] { return rig.lost.size() == 1; }));
}

TEST_CASE("real sentinel: one whose user has only the rights that are named here is enough") {
  if (!test::RedisServer::is_installed()) return;
  Rig rig;
  for (const std::uint16_t port : rig.set.sentinel_ports) {
    const std::string said = test::redis_cli(
        port,
        "acl setuser watcher on '>pw' resetchannels '&+switch-master' '&+promoted-slave' -@all +hello +auth "
        "+subscribe "
        "'+sentinel|master' '+sentinel|get-master-addr-by-name' '+sentinel|sentinels' '+sentinel|myid'");
    CHECK(said == "OK\n");
  }
  redis::ServerAddress known = rig.set.sentinel(1);
  known.user = "watcher";
  known.password = "pw";
  rig.start({known}, 3'600'000);
  CHECK(rig.await_connected(3));
  rig.set.fail_over();
  CHECK(rig.await_primary(rig.set.ports[1]));
}

}  // namespace real_sentinel_test

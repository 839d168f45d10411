#include "redis/cluster_topology.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/dialer.h"
#include "support/scripted_server.h"

using namespace roomcast;

namespace cluster_topology_test {

namespace {

using Server = test::ScriptedServer;
using Answer = std::optional<std::string>;

/// A cluster of which all slots are at 127.0.0.1 and that port, where nobody listens.
std::string shards_at(int port) {
  return "*1\r\n%2\r\n" + Server::text("slots") + "*2\r\n:0\r\n:16383\r\n" + Server::text("nodes") +
         "*1\r\n%4\r\n" + Server::text("port") + ":" + std::to_string(port) + "\r\n" +
         Server::text("endpoint") + Server::text("127.0.0.1") + Server::text("role") +
         Server::text("master") + Server::text("health") + Server::text("online");
}

struct Rig final : redis::Topology::Listener {
  explicit Rig(std::size_t count, std::int64_t ask_ms = 60'000) {
    redis::ClusterTopology::Options options;
    options.ask_ms = ask_ms;
    options.doubt_ms = 20;
    options.connection.wait_ms = 5;
    for (std::size_t i = 0; i < count; ++i) {
      servers.push_back(std::make_unique<Server>(sockets));
      options.seeds.push_back(servers.back()->address());
      say(i, 1, 1);
    }
    topology.emplace(
        redis::Connection::Parts{dialer, nullptr, nullptr, sockets.loop, sockets.turn, sockets.deadlines},
        options);
  }
  /// What a server answers from here on.
  void say(std::size_t i, int port, int epoch) {
    servers[i]->on_command = [port, epoch](Server::Client& /*client*/, const Server::Words& words) -> Answer {
      if (words[0] != "CLUSTER") return std::nullopt;
      if (words[1] == "INFO") return Server::text("cluster_current_epoch:" + std::to_string(epoch) + "\r\n");
      return shards_at(port);
    };
  }
  void say_instead(std::size_t i, const std::string& answer) {
    servers[i]->on_command = [answer](Server::Client& /*client*/, const Server::Words& words) -> Answer {
      return words[0] == "CLUSTER" ? Answer(answer) : std::nullopt;
    };
  }
  template <class Done>
  bool until(const Done& done, std::int64_t limit_ms = 20'000) {
    return sockets.run_until(
        [&] {
          for (const auto& server : servers)
            server->accept();
          return done();
        },
        limit_ms);
  }
  void on_layout(const redis::Layout& layout) override { ports.push_back(layout.shards.at(0).address.port); }
  void on_topology_lost(std::string_view why) override { lost.emplace_back(why); }

  test::SocketFixture sockets;
  net::Dialer dialer{{sockets.loop, sockets.sockets, sockets.deadlines}};
  std::vector<std::unique_ptr<Server>> servers;
  std::vector<int> ports;
  std::vector<std::string> lost;
  std::optional<redis::ClusterTopology> topology;
};

using Ports = std::vector<int>;

}  // namespace

TEST_CASE(
    "cluster topology: the first server that answers decides, a replica will do, and the next is asked only "
    "after a doubt") {
  Rig rig(2);
  rig.servers[0]->role = "slave";
  rig.topology->start(rig);
  CHECK(rig.until([&] { return rig.ports == Ports{1}; }));
  CHECK_FALSE(rig.until([&] { return rig.topology->asked() != 1; }, 150));
  CHECK(rig.servers[1]->clients.empty());
  // Of the same layout nobody is told again.
  rig.topology->doubt();
  CHECK(rig.until([&] { return rig.topology->asked() >= 3; }));
  CHECK(rig.ports == Ports{1});
  CHECK(rig.lost.empty());
}

TEST_CASE("cluster topology: it asks once in a while, without a doubt") {
  Rig rig(1, 30);
  rig.topology->start(rig);
  CHECK(rig.until([&] { return rig.ports == Ports{1}; }));
  rig.say(0, 2, 2);
  CHECK(rig.until([&] { return rig.ports == Ports{1, 2}; }));
}

TEST_CASE("cluster topology: after a doubt it goes on asking until there is another layout") {
  Rig rig(1);
  rig.topology->start(rig);
  CHECK(rig.until([&] { return rig.ports == Ports{1}; }));
  rig.topology->doubt();
  const std::uint64_t asked = rig.topology->asked();
  CHECK(rig.until([&] { return rig.topology->asked() >= asked + 5; }));
  rig.say(0, 2, 2);
  CHECK(rig.until([&] { return rig.ports == Ports{1, 2}; }));
  // Then the doubt is over.
  const std::uint64_t after = rig.topology->asked();
  CHECK_FALSE(rig.until([&] { return rig.topology->asked() != after; }, 150));
  // And there may be another.
  rig.say(0, 3, 3);
  rig.topology->doubt();
  CHECK(rig.until([&] { return rig.ports == Ports{1, 2, 3}; }));
}

TEST_CASE("cluster topology: a server that has lost touch does not decide") {
  Rig rig(2);
  rig.topology->start(rig);
  CHECK(rig.until([&] { return rig.ports == Ports{1}; }));
  // The one that is asked stays with the old; the other knows better.
  rig.say(1, 2, 2);
  rig.topology->doubt();
  CHECK(rig.until([&] { return rig.ports == Ports{1, 2}; }));
  // Whoever is asked next, the old one is not believed while the other answers.
  rig.topology->doubt();
  const std::uint64_t asked = rig.topology->asked();
  CHECK(rig.until([&] { return rig.topology->asked() >= asked + 6; }));
  CHECK(rig.ports == Ports{1, 2});
  // But when nobody else does: the cluster was made anew.
  rig.say(1, 5, 1);
  rig.say(0, 5, 1);
  rig.topology->doubt();
  CHECK(rig.until([&] { return rig.ports == Ports{1, 2, 5}; }));
}

TEST_CASE("cluster topology: servers that are of no use are told in words, once, and tried again") {
  Rig rig(2);
  rig.say_instead(0, "-ERR This instance has cluster support disabled\r\n");
  rig.say_instead(1, "*1\r\n+x\r\n");
  rig.topology->start(rig);
  CHECK(rig.until([&] { return rig.topology->asked() >= 8; }));
  CHECK(rig.ports.empty());
  REQUIRE(rig.lost.size() == 1);
  CHECK(rig.lost[0].find("it does not say which servers of a cluster have which slots") != std::string::npos);
  rig.say(1, 1, 1);
  CHECK(rig.until([&] { return rig.ports == Ports{1}; }));
  // Those that vanish as well.
  rig.servers[0]->on_command = rig.servers[1]->on_command =
      [](Server::Client& /*client*/, const Server::Words&) { return Answer("?\r\n"); };
  rig.topology->doubt();
  CHECK(rig.until([&] { return rig.lost.size() == 2; }));
}

TEST_CASE(
    "cluster topology: a server without CLUSTER SHARDS is asked for SLOTS, one without the right for INFO is "
    "believed") {
  Rig rig(1);
  rig.servers[0]->on_command = [](Server::Client& /*client*/, const Server::Words& words) -> Answer {
    if (words[0] != "CLUSTER") return std::nullopt;
    if (words[1] == "INFO") return "-NOPERM this user has no permissions\r\n";
    if (words[1] == "SHARDS") return "-ERR Unknown subcommand or wrong number of arguments for 'SHARDS'\r\n";
    return "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n" + Server::text("127.0.0.1") + ":4\r\n" + Server::text("id");
  };
  rig.topology->start(rig);
  CHECK(rig.until([&] { return rig.ports == Ports{4}; }));
}

}  // namespace cluster_topology_test

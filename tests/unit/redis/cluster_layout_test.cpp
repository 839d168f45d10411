#include "redis/cluster_layout.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/resp_reader.h"

using namespace roomcast;
using redis::ClusterView;
using redis::ServerAddress;

namespace cluster_layout_test {

namespace {

using Slots = std::vector<std::pair<std::uint16_t, std::uint16_t>>;

std::string text(std::string_view value) {
  return "$" + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
}
std::string number(int value) { return ":" + std::to_string(value) + "\r\n"; }
std::string list(const std::vector<std::string>& items) {
  std::string bytes = "*" + std::to_string(items.size()) + "\r\n";
  for (const std::string& item : items)
    bytes += item;
  return bytes;
}
std::string map(const std::vector<std::string>& items) {
  std::string bytes = list(items);
  return "%" + std::to_string(items.size() / 2) + bytes.substr(bytes.find('\r'));
}
std::string node(const std::string& endpoint, int port, std::string_view role,
                 std::string_view health = "online") {
  return map({text("id"), text("x"), text("port"), number(port), text("tls-port"), number(port + 1),
              text("ip"), text("10.0.0.9"), text("endpoint"), endpoint, text("role"), text(role),
              text("health"), text(health)});
}
std::string shard(const std::vector<std::string>& slots, const std::vector<std::string>& nodes) {
  return map({text("slots"), list(slots), text("nodes"), list(nodes)});
}
const ServerAddress asked = *ServerAddress::parse("redis://seed:7000");

std::optional<ClusterView> shards(const std::string& bytes, const ServerAddress& from = asked) {
  redis::RespReader reader;
  reader.add(bytes);
  const redis::Value* const value = reader.next();
  REQUIRE(value != nullptr);
  return redis::read_cluster_shards(*value, from);
}
std::optional<ClusterView> slots(const std::string& bytes) {
  redis::RespReader reader;
  reader.add(bytes);
  const redis::Value* const value = reader.next();
  REQUIRE(value != nullptr);
  return redis::read_cluster_slots(*value, asked);
}

}  // namespace

TEST_CASE("cluster layout: shards come by their slots, each at its primary, and replicas may be asked too") {
  const auto view = shards(list({
      shard({number(200), number(300), number(20), number(30)},
            {node(text("b"), 2, "replica"), node(text("c"), 3, "master")}),
      shard({number(0), number(10)}, {node(text("a"), 1, "master")}),
      shard({}, {node(text("empty"), 4, "master")}),
  }));
  REQUIRE(view.has_value());
  REQUIRE(view->layout.shards.size() == 2);
  CHECK(view->layout.shards[0].address.to_text() == "redis://a:1");
  CHECK(view->layout.shards[0].slots == Slots{{0, 10}});
  CHECK(view->layout.shards[1].address.to_text() == "redis://c:3");
  CHECK(view->layout.shards[1].slots == Slots{{20, 30}, {200, 300}});
  CHECK(view->servers.size() == 4);
}

TEST_CASE("cluster layout: a failed primary gives way to the one that is online, and stands in for none") {
  const auto both = shards(list({shard(
      {number(0), number(9)}, {node(text("old"), 1, "master", "fail"), node(text("new"), 2, "master")})}));
  REQUIRE(both.has_value());
  CHECK(both->layout.shards.at(0).address.host == "new");
  const auto failed = shards(list({shard({number(0), number(9)}, {node(text("old"), 1, "master", "fail")})}));
  REQUIRE(failed.has_value());
  CHECK(failed->layout.shards.at(0).address.host == "old");
  const auto none = shards(list({shard({number(0), number(9)}, {node(text("r"), 1, "replica")})}));
  REQUIRE(none.has_value());
  CHECK(none->layout.shards.empty());
}

TEST_CASE(
    "cluster layout: hosts that the cluster does not know are those of who was asked, with its way to "
    "speak") {
  const auto one = [](const std::string& endpoint, const ServerAddress& from) {
    const auto view = shards(list({shard({number(0), number(9)}, {node(endpoint, 1, "master")})}), from);
    REQUIRE(view.has_value());
    return view->layout.shards.empty() ? "" : view->layout.shards[0].address.to_text();
  };
  CHECK(one(text(""), asked) == "redis://seed:1");
  CHECK(one("_\r\n", asked) == "redis://seed:1");
  CHECK(one(text("?"), asked) == "redis://10.0.0.9:1");
  CHECK(one(text("host"), *ServerAddress::parse("rediss://u:p@seed:7000")) == "rediss://host:2");
  CHECK(one(text("host"), *ServerAddress::parse("unix:/run/redis.sock")) == "redis://host:1");
  CHECK(one(text(""), *ServerAddress::parse("unix:/run/redis.sock")).empty());
  CHECK(one(text(std::string(254, 'h')), asked).empty());
}

TEST_CASE("cluster layout: what is no answer to CLUSTER SHARDS is none") {
  const std::vector<std::string> nodes{node(text("a"), 1, "master")};
  for (const std::string& bytes : {
           std::string("+OK\r\n"),
           std::string("-ERR no\r\n"),
           list({text("x")}),
           list({map({text("slots"), list({})})}),
           list({map({text("slots"), text("x"), text("nodes"), list({})})}),
           list({shard({number(1)}, nodes)}),
           list({shard({number(2), number(1)}, nodes)}),
           list({shard({number(-1), number(1)}, nodes)}),
           list({shard({number(0), number(16'384)}, nodes)}),
           list({shard({text("0"), text("1")}, nodes)}),
       }) {
    CHECK_FALSE(shards(bytes).has_value());
  }
  // Ports that are none.
  for (const int port : {0, -1, 65'536}) {
    const auto view = shards(list({shard({number(0), number(1)}, {node(text("a"), port, "master")})}));
    REQUIRE(view.has_value());
    CHECK(view->layout.shards.empty());
  }
}

TEST_CASE("cluster layout: CLUSTER SLOTS says the same") {
  const auto at = [](std::string_view host, int port) {
    return list({text(host), number(port), text("id"), list({})});
  };
  const auto view = slots(list({
      list({number(10), number(19), at("b", 2), at("a", 1)}),
      list({number(0), number(9), at("a", 1), at("b", 2)}),
      list({number(20), number(29), at("", 1)}),
      list({number(30), number(39), at("a", 1)}),
  }));
  REQUIRE(view.has_value());
  REQUIRE(view->layout.shards.size() == 3);
  CHECK(view->layout.shards[0].slots == Slots{{0, 9}, {30, 39}});
  CHECK(view->layout.shards[2].address.to_text() == "redis://seed:1");
  CHECK(view->servers.size() == 3);
  for (const std::string& bytes :
       {std::string("+OK\r\n"), list({text("x")}), list({list({number(0), number(1)})}),
        list({list({number(0), number(1), text("x")})}),
        list({list({number(0), number(99'999), at("a", 1)})})}) {
    CHECK_FALSE(slots(bytes).has_value());
  }
}

TEST_CASE("cluster layout: the epoch is what CLUSTER INFO says") {
  CHECK(redis::read_cluster_epoch("cluster_state:ok\r\ncluster_current_epoch:17\r\ncluster_my_epoch:3\r\n") ==
        17);
  CHECK(redis::read_cluster_epoch("cluster_current_epoch:x\r\n") == 0);
  CHECK(redis::read_cluster_epoch("") == 0);
}

}  // namespace cluster_layout_test

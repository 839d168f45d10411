#include "redis/server_info.h"

#include <doctest/doctest.h>

#include <string>

using namespace roomcast;
using redis::ServerInfo;
using redis::why_unusable;

namespace server_info_test {

const std::string run_id = "92ed6071039fac2c83167d1c262e26a9b3457c80";
const std::string replication_id = "493b004b2d918352ae4e7656f2813258bb45cf46";

ServerInfo usable() {
  ServerInfo info;
  info.product = "redis";
  info.version = "7.0.15";
  info.run_id = run_id;
  info.replication_id = replication_id;
  info.eviction = "noeviction";
  info.is_primary = true;
  return info;
}

template <class Change>
std::string why_with(const Change& change) {
  ServerInfo info = usable();
  change(info);
  return why_unusable(info);
}

bool has(const std::string& text, std::string_view part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

TEST_CASE("INFO is read line by line") {
  ServerInfo info;
  info.product = "redis";
  redis::read_info(
      "# Server\r\nredis_version:6.2.0\r\nrun_id:" + run_id + "\r\nexecutable:/a:b\r\n\r\n" +
          "# Persistence\r\nloading:1\r\nasync_loading:0\r\n# Replication\r\nrole:slave\r\n" +
          "master_host:::1\r\nmaster_port:7001\r\nmaster_replid:" + replication_id +
          "\r\nmaster_replid2:0000\r\nmaxmemory_policy:allkeys-lru\r\n# Cluster\r\ncluster_enabled:1",
      info);
  CHECK(info.version == "6.2.0");
  CHECK(info.run_id == run_id);
  CHECK(info.replication_id == replication_id);
  CHECK(info.eviction == "allkeys-lru");
  CHECK_FALSE(info.is_primary);
  CHECK(info.is_cluster);
  CHECK(info.is_loading);
  CHECK(info.primary_host == "::1");
  CHECK(info.primary_port == 7'001);

  redis::read_info("no colon\r\n:\r\nrole:master\nloading:0\nmaster_port:none\n", info);
  CHECK(info.is_primary);
  CHECK_FALSE(info.is_loading);
  CHECK(info.primary_port == 0);
}

TEST_CASE("Valkey says which Redis it is like, and its own version") {
  for (const std::string product : {"redis", "valkey"}) {
    ServerInfo info;
    info.product = product;
    info.version = "8.1.1";
    for (const std::string text : {"redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n",
                                   "valkey_version:8.1.1\r\nredis_version:7.2.4\r\n"}) {
      redis::read_info(text, info);
      CHECK(info.product == "valkey");
      CHECK(info.version == "8.1.1");
    }
  }
}

TEST_CASE("a server has to be new enough for what is needed of it") {
  const auto of = [](const std::string& product, const std::string& version, bool is_cluster = false) {
    return why_with([&](ServerInfo& info) {
      info.product = product;
      info.version = version;
      info.is_cluster = is_cluster;
    });
  };
  for (const std::string version : {"6.2", "6.2.0", "6.10.1", "7.0.15", "8.0.2", "10.0.0"})
    CHECK(of("redis", version).empty());
  for (const std::string version : {"6.1.240", "6.0.16", "5.9", "2.8.0"})
    CHECK(has(of("redis", version), "6.2 or newer"));
  CHECK(of("redis", "7.0.0", true).empty());
  CHECK(has(of("redis", "6.2.14", true), "7.0 or newer is needed (sharded pub/sub)"));
  CHECK(of("valkey", "7.2.5").empty());
  CHECK(of("valkey", "8.1.1", true).empty());
  CHECK(has(of("valkey", "7.1.0"), "7.2 or newer"));
  for (const std::string version : {"", "7", "seven", "7.", "7.x", "7.0-rc1"})
    CHECK(has(of("redis", version), "does not say its version"));
  CHECK(has(of("garnet", "7.2.5"), "neither Redis nor Valkey"));
}

TEST_CASE("a replica is refused with the address of its primary") {
  const std::string why = why_with([](ServerInfo& info) {
    info.is_primary = false;
    info.primary_host = "10.0.0.1";
    info.primary_port = 6'380;
  });
  CHECK(has(why, "a replica of 10.0.0.1:6380"));
}

TEST_CASE("what is needed of a server depends on its role") {
  using redis::ServerRole;
  ServerInfo replica = usable();
  replica.is_primary = false;
  CHECK(why_unusable(replica, ServerRole::any_server).empty());
  ServerInfo sentinel;
  sentinel.is_sentinel = true;
  CHECK(why_unusable(sentinel, ServerRole::sentinel).empty());
  CHECK(has(why_unusable(sentinel), "set redis.sentinel to the name"));
  CHECK(has(why_unusable(sentinel, ServerRole::any_server), "it is a Sentinel"));
  CHECK(has(why_unusable(usable(), ServerRole::sentinel), "no Sentinel: with redis.sentinel set"));
}

TEST_CASE("ids that no server makes are those of a proxy") {
  for (const std::string id :
       {"", "0123456789abcdef", "92ED6071039fac2c83167d1c262e26a9b3457c80",
        "92ed6071039fac2c83167d1c262e26a9b3457c8g", "92ed6071039fac2c83167d1c262e26a9b3457c801",
        "0000000000000000000000000000000000000000"}) {
    const std::string run = why_with([&](ServerInfo& info) { info.run_id = id; });
    CHECK(has(run, "run_id"));
    CHECK(has(run, "a proxy"));
    CHECK(has(run, id.empty() ? "missing" : id));
    CHECK(has(why_with([&](ServerInfo& info) { info.replication_id = id; }), "master_replid"));
  }
}

TEST_CASE("a server that is loading its data is not ready") {
  CHECK(has(why_with([](ServerInfo& info) { info.is_loading = true; }), "loading"));
}

TEST_CASE("a policy that throws history away is told, and no obstacle") {
  ServerInfo info = usable();
  CHECK(why_unusable(info).empty());
  CHECK(redis::advice_for(info).empty());
  info.eviction = "allkeys-lru";
  CHECK(why_unusable(info).empty());
  REQUIRE(redis::advice_for(info).size() == 1);
  CHECK(has(redis::advice_for(info)[0], "allkeys-lru"));
  CHECK(has(redis::advice_for(info)[0], "noeviction"));
}

}  // namespace server_info_test

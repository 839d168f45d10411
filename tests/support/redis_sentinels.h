#pragma once

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "redis/server_address.h"
#include "support/child_process.h"
#include "support/redis_server.h"
#include "support/sockets.h"
#include "support/temporary_directory.h"

namespace roomcast::test {

/// What redis-cli prints for a command to a server on a port of the loopback.
inline std::string redis_cli(std::uint16_t port, const std::string& words) {
  const std::string line =
      "timeout 5 redis-cli -h 127.0.0.1 -p " + std::to_string(port) + " " + words + " 2>&1";
  FILE* const pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4'096> piece{};
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe))
    out.append(piece.data(), count);
  ::pclose(pipe);
  return out;
}

/// A primary, a replica and three Sentinels that watch over them under the name "main", all of them real, on
/// ports of the loopback. A primary that does not answer is given up after half a second.
///
///   if (!RedisServer::is_installed()) return;
///   RedisSentinels set;
class RedisSentinels {
 public:
  RedisSentinels() {
    servers_[0].emplace(options_of(ports[0]));
    std::vector<std::string> replica = options_of(ports[1]);
    replica.insert(replica.end(), {"--replicaof", "127.0.0.1", std::to_string(ports[0])});
    servers_[1].emplace(std::move(replica));
    for (std::size_t i = 0; i < sentinels_.size(); ++i)
      start_sentinel(i);
    await([&] { return is_ready(); });
  }

  /// The address of a Sentinel, as it would be configured.
  [[nodiscard]] redis::ServerAddress sentinel(std::size_t index) const {
    redis::ServerAddress address;
    address.host = "127.0.0.1";
    address.port = sentinel_ports[index];
    return address;
  }
  [[nodiscard]] std::vector<redis::ServerAddress> sentinels() const {
    return {sentinel(0), sentinel(1), sentinel(2)};
  }
  [[nodiscard]] RedisServer& server(std::size_t index) { return *servers_[index]; }
  /// By SIGKILL.
  void kill_server(std::size_t index) { servers_[index].reset(); }
  void kill_sentinel(std::size_t index) { sentinels_[index].reset(); }
  /// What the first server gets is not replicated any more.
  void cut_replication() {
    CHECK(redis_cli(ports[0], "acl setuser default -psync -sync") == "OK\n");
    CHECK(redis_cli(ports[0], "client kill type replica") == "1\n");
  }
  /// Has the Sentinels make the other server the primary, while both run.
  void fail_over() {
    const std::string said = redis_cli(sentinel_ports[0], "sentinel failover main");
    CHECK(said == "OK\n");
  }

  std::array<std::uint16_t, 2> ports = free_ports<2>();  // of the servers: first the primary
  std::array<std::uint16_t, 3> sentinel_ports = free_ports<3>();

 private:
  /// Ports on which nobody listens now.
  template <std::size_t count>
  static std::array<std::uint16_t, count> free_ports() {
    std::vector<net::ListeningSocket> held;
    std::array<std::uint16_t, count> ports{};
    for (std::uint16_t& port : ports) {
      held.push_back(std::move(*net::ListeningSocket::bind(parse_address("127.0.0.1:0"), 0600)));
      port = held.back().address().port;
    }
    return ports;
  }
  static std::vector<std::string> options_of(std::uint16_t port) {
    return {"--port", std::to_string(port),         "--bind", "127.0.0.1", "--repl-diskless-sync-delay",
            "0",      "--repl-ping-replica-period", "1"};
  }
  static std::string id_of(std::size_t sentinel) { return std::string(39, 'a') + std::to_string(sentinel); }

  /// Sentinels find each other and the replicas by themselves, but take their time.
  void start_sentinel(std::size_t index) {
    const std::string file = directory_.file("sentinel-" + std::to_string(index));
    std::ofstream config(file);
    config << "port " << sentinel_ports[index] << "\nbind 127.0.0.1\ndir " << directory_.file("")
           << "\nlogfile " << file << ".log\nsentinel myid " << id_of(index)
           << "\nsentinel monitor main 127.0.0.1 " << ports[0]
           << " 2\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000"
           << "\nsentinel known-replica main 127.0.0.1 " << ports[1] << '\n';
    for (std::size_t other = 0; other < sentinels_.size(); ++other) {
      if (other == index) continue;
      config << "sentinel known-sentinel main 127.0.0.1 " << sentinel_ports[other] << ' ' << id_of(other)
             << '\n';
    }
    config.close();
    sentinels_[index].emplace(std::vector<std::string>{"redis-server", file, "--sentinel"});
  }
  /// Whether a failover could begin.
  bool is_ready() {
    for (const std::uint16_t port : sentinel_ports) {
      if (!redis_cli(port, "sentinel ckquorum main").starts_with("OK 3 usable")) return false;
      const std::string replicas = redis_cli(port, "sentinel replicas main");
      if (replicas.find("master-link-status\nok") == std::string::npos) return false;
      if (replicas.find("flags\nslave\n") == std::string::npos) return false;
    }
    return true;
  }
  /// There is no event for this: it is tried until it works.
  static void await(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  TemporaryDirectory directory_;
  std::array<std::optional<RedisServer>, 2> servers_;
  std::array<std::optional<ChildProcess>, 3> sentinels_;
};

}  // namespace roomcast::test

#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/file_descriptor.h"
#include "redis/server_address.h"
#include "support/redis_server.h"

namespace roomcast::test {

/// A real Redis Cluster on loopback: three primaries, each with a replica, and further servers as the test
/// adds them. A primary that is gone is noticed after a second.
class RedisCluster {
 public:
  static constexpr std::size_t primaries = 3;
  static constexpr std::size_t servers_at_start = 6;

  RedisCluster() {
    std::string addresses;
    for (std::size_t i = 0; i < servers_at_start; ++i) {
      add();
      addresses += " " + place(i);
    }
    run("--cluster create" + addresses + " --cluster-replicas 1 --cluster-yes");
    await([this] { return is_whole(servers_at_start); });
  }

  /// Starts a server that belongs to no cluster yet.
  void add() {
    const std::uint16_t port = free_port();
    ports_.push_back(port);
    servers_.push_back(std::make_unique<RedisServer>(std::vector<std::string>{
        "--port", std::to_string(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port",
        std::to_string(free_port()), "--cluster-node-timeout", "1000", "--cluster-config-file", "nodes.conf",
        "--repl-diskless-sync-delay", "0"}));
  }
  [[nodiscard]] std::size_t size() const { return servers_.size(); }
  [[nodiscard]] RedisServer& server(std::size_t i) { return *servers_.at(i); }
  [[nodiscard]] std::string place(std::size_t i) const { return "127.0.0.1:" + std::to_string(ports_.at(i)); }
  [[nodiscard]] redis::ServerAddress address(std::size_t i) const {
    redis::ServerAddress address;
    address.host = "127.0.0.1";
    address.port = ports_.at(i);
    return address;
  }
  /// What redis-cli says to one of them.
  [[nodiscard]] std::string ask(std::size_t i, const std::string& words) const {
    return output_of("redis-cli -p " + std::to_string(ports_.at(i)) + " " + words);
  }
  [[nodiscard]] std::string id(std::size_t i) const { return first_line(ask(i, "CLUSTER MYID")); }
  /// Runs `redis-cli --cluster ...`, which has to succeed.
  static void run(const std::string& words) {
    const std::string output = output_of("redis-cli " + words + " 2>&1; echo status=$?");
    INFO(output);
    REQUIRE(output.find("status=0") != std::string::npos);
  }
  /// The server that has the slot, in the eyes of server `i`.
  [[nodiscard]] std::size_t primary_of(std::uint16_t slot, std::size_t asked = 0) const {
    const std::string text = ask(asked, "CLUSTER SLOTS");
    // Lines of numbers and words: first and last slot, then host, port, id of the primary.
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    for (std::size_t i = 0; i + 3 < lines.size(); ++i) {
      if (lines[i + 2] != "127.0.0.1") continue;
      const bool is_first_node = i < 2 || lines[i].find_first_not_of("0123456789") == std::string::npos;
      if (!is_first_node || lines[i + 1].find_first_not_of("0123456789") != std::string::npos) continue;
      if (lines[i].empty() || lines[i + 1].empty()) continue;
      if (std::stoul(lines[i]) > slot || slot > std::stoul(lines[i + 1])) continue;
      for (std::size_t server = 0; server < ports_.size(); ++server) {
        if (std::to_string(ports_[server]) == lines[i + 3]) return server;
      }
    }
    return ports_.size();
  }
  [[nodiscard]] bool is_primary(std::size_t i) const { return first_line(ask(i, "ROLE")) == "master"; }
  /// The replica of a primary.
  [[nodiscard]] std::size_t replica_of(std::size_t primary) const {
    const std::string port = std::to_string(ports_.at(primary));
    for (std::size_t i = 0; i < size(); ++i) {
      const std::string role = ask(i, "ROLE");
      if (role.starts_with("slave") && role.find(port) != std::string::npos) return i;
    }
    return size();
  }
  /// All of them know `count` servers and all slots, and replicas have their data.
  [[nodiscard]] bool is_whole(std::size_t count) const {
    for (std::size_t i = 0; i < size(); ++i) {
      const std::string info = ask(i, "CLUSTER INFO");
      if (info.find("cluster_state:ok") == std::string::npos) return false;
      if (info.find("cluster_known_nodes:" + std::to_string(count)) == std::string::npos) return false;
      const std::string role = ask(i, "ROLE");
      if (role.starts_with("slave") && role.find("connected") == std::string::npos) return false;
    }
    return true;
  }
  template <class Done>
  static void await(const Done& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  static std::string output_of(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    std::array<char, 4'096> buffer{};
    for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      output.append(buffer.data(), got);
    ::pclose(pipe);
    return output;
  }

 private:
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }
  /// Below those that the system gives to outgoing connections.
  static std::uint16_t free_port() {
    static std::mt19937 random{std::random_device{}()};
    for (int i = 0; i < 100; ++i) {
      const auto port = static_cast<std::uint16_t>(12'000 + random() % 18'000);
      const net::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(port);
      if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return port;
    }
    FAIL("no port is free");
    return 0;
  }

  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace roomcast::test

#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/file_descriptor.h"
#include "redis/server_address.h"
#include "support/child_process.h"
#include "support/temporary_directory.h"

namespace roomcast::test {

/// A real Redis server on a Unix socket in a directory of its own, which keeps nothing. The destructor ends
/// it; it also ends with the test program.
///
///   if (!RedisServer::is_installed()) return;
///   RedisServer server;
///   net::FileDescriptor socket = server.connect();
class RedisServer {
 public:
  /// False, with a message, if there is no redis-server here; in CI that fails the test.
  [[nodiscard]] static bool is_installed() {
    const char* path = std::getenv("PATH");
    std::string rest = path == nullptr ? "/usr/bin:/bin" : path;
    for (rest += ':'; !rest.empty(); rest.erase(0, rest.find(':') + 1)) {
      const std::string program = rest.substr(0, rest.find(':')) + "/redis-server";
      if (::access(program.c_str(), X_OK) == 0) return true;
    }
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL("redis-server is not installed");
    MESSAGE("SKIPPED: redis-server is not installed");
    return false;
  }

  /// Starts it with further `options`, as in {"--requirepass", "x"}, and waits until it takes connections.
  explicit RedisServer(std::vector<std::string> options = {}) {
    std::vector<std::string> words{"redis-server", "--port", "0", "--unixsocket", path(), "--dir",
                                   dir(),          "--save", "",  "--appendonly", "no",   "--logfile",
                                   dir() + "/log"};
    for (std::string& option : options)
      words.push_back(std::move(option));
    words_ = std::move(words);
    process_.emplace(words_);
    await_socket();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() = default;

  [[nodiscard]] std::string path() const { return directory_.file("redis.sock"); }
  /// As it would be configured.
  [[nodiscard]] redis::ServerAddress address() const {
    redis::ServerAddress address;
    address.scheme = redis::ServerAddress::Scheme::unix_socket;
    address.path = path();
    return address;
  }
  /// A connection; not open if it is refused.
  [[nodiscard]] net::FileDescriptor connect() const {
    net::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path();
    REQUIRE(name.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, name.data(), name.size());
    if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return {};
    const int flags = ::fcntl(socket.number(), F_GETFL);
    ::fcntl(socket.number(), F_SETFL, flags | O_NONBLOCK);
    return socket;
  }
  /// Kills it, and starts it again with what is in its directory.
  void restart() {
    process_.reset();
    process_.emplace(words_);
    await_socket();
  }
  void send_signal(int signal) const { process_->send_signal(signal); }

 private:
  [[nodiscard]] std::string dir() const { return directory_.file(""); }

  /// There is no event for this: it is tried until it works.
  void await_socket() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < end) {
      if (connect().is_open()) return;
      if (!process_->is_running()) FAIL("redis-server ended at once");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    FAIL("redis-server takes no connections");
  }

  TemporaryDirectory directory_;
  std::vector<std::string> words_;
  std::optional<ChildProcess> process_;
};

}  // namespace roomcast::test

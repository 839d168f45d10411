#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/byte_stream.h"
#include "net/file_descriptor.h"
#include "net/socket_stream.h"
#include "redis/command.h"
#include "redis/resp_reader.h"
#include "redis/server_address.h"
#include "support/socket_fixture.h"
#include "support/temporary_directory.h"

namespace roomcast::test {

/// A server on a Unix socket, in the loop of the test, that shakes hands and confirms subscriptions like a
/// Redis, but for what the test answers itself: one that is wrong, slow or malicious.
///
///   ScriptedServer server(sockets);
///   server.on_command = [](ScriptedServer::Client& client, const auto& words) -> std::optional<std::string>
///   {
///     if (words[0] == "PING") return "-ERR no\r\n";   // bytes of the answer, may be empty
///     return std::nullopt;                             // as usual
///   };
///   sockets.run_until([&] { server.accept(); return ...; });
class ScriptedServer {
 public:
  using Words = std::vector<std::string>;

  class Client final : private net::ByteStream::Events {
   public:
    Client(ScriptedServer& server, std::unique_ptr<net::ByteStream> stream)
        : server_(server), stream_(std::move(stream)) {
      stream_->set_events(*this);
    }
    void send(std::string_view bytes) {
      unsent_ += bytes;
      on_writable();
    }
    bool is_gone = false;
    bool has_subscribed = false;
    std::vector<Words> commands;

   private:
    void on_bytes(std::span<char> bytes) override {
      reader_.add({bytes.data(), bytes.size()});
      while (const redis::Value* value = reader_.next()) {
        Words words;
        for (const redis::Value& item : value->items)
          words.emplace_back(item.text);
        commands.push_back(words);
        server_.on_words(*this, commands.back());
      }
    }
    void on_end() override { is_gone = true; }
    void on_writable() override {
      const std::string_view bytes = unsent_;
      if (!is_gone && !bytes.empty()) unsent_.erase(0, stream_->write({&bytes, 1}));
    }
    void on_error(std::string_view /*why*/) override { is_gone = true; }

    ScriptedServer& server_;
    std::unique_ptr<net::ByteStream> stream_;
    redis::RespReader reader_;
    std::string unsent_;
  };

  explicit ScriptedServer(SocketFixture& fixture)
      : fixture_(fixture), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path();
    REQUIRE(name.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, name.data(), name.size());
    REQUIRE(::bind(listener_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.number(), 64) == 0);
  }

  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  virtual ~ScriptedServer() = default;

  [[nodiscard]] std::string path() const { return directory_.file("s"); }
  [[nodiscard]] redis::ServerAddress address() const {
    redis::ServerAddress address;
    address.scheme = redis::ServerAddress::Scheme::unix_socket;
    address.path = path();
    return address;
  }
  /// Takes the connections that have come.
  void accept() {
    while (true) {
      net::FileDescriptor socket(
          ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket.is_open()) return;
      auto stream = net::SocketStream::adopt(fixture_.sockets, std::move(socket));
      REQUIRE(stream.ok());
      clients.push_back(std::make_unique<Client>(*this, std::move(*stream)));
    }
  }
  /// All commands of that name, of all connections.
  [[nodiscard]] std::vector<Words> commands(std::string_view name) const {
    std::vector<Words> all;
    for (const auto& client : clients) {
      for (const Words& words : client->commands) {
        if (words[0] == name) all.push_back(words);
      }
    }
    return all;
  }
  /// The youngest connection with a subscription that is still there.
  [[nodiscard]] Client& subscriber() const {
    for (auto client = clients.rbegin(); client != clients.rend(); ++client) {
      if ((*client)->has_subscribed && !(*client)->is_gone) return **client;
    }
    FAIL("nobody has subscribed");
    return *clients.front();
  }

  static std::string text(std::string_view value) {
    return "$" + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
  }
  static std::string push(std::initializer_list<std::string_view> items) {
    std::string bytes = ">" + std::to_string(items.size()) + "\r\n";
    for (const std::string_view item : items)
      bytes += text(item);
    return bytes;
  }
  std::function<std::optional<std::string>(Client&, const Words&)> on_command;
  std::vector<std::unique_ptr<Client>> clients;
  std::string role = "master";
  bool is_cluster = false;

 protected:
  /// The usual answer.
  virtual std::string answer(Client& client, const Words& words) {
    const std::string& name = words[0];
    if (name == "HELLO") {
      return "%4\r\n" + text("server") + text("redis") + text("version") + text("7.0.15") + text("proto") +
             ":3\r\n" + text("id") + ":7\r\n";
    }
    if (name == "INFO") {
      return text("redis_version:7.0.15\r\nrun_id:0123456789012345678901234567890123456789\r\nrole:" + role +
                  "\r\nmaster_replid:abcdefabcdabcdefabcdabcdefabcdabcdefabcd\r\ncluster_enabled:" +
                  (is_cluster ? "1" : "0") + "\r\nloading:0\r\n");
    }
    if (name.ends_with("SUBSCRIBE")) return confirmed(client, words);
    return "-ERR unknown command\r\n";
  }

 private:
  void on_words(Client& client, const Words& words) {
    std::optional<std::string> bytes;
    if (on_command) bytes = on_command(client, words);
    client.send(bytes ? *bytes : answer(client, words));
  }
  static std::string confirmed(Client& client, const Words& words) {
    client.has_subscribed = true;
    std::string kind = words[0];
    for (char& letter : kind)
      letter = static_cast<char>(letter | 0x20);
    std::string bytes;
    for (std::size_t i = 1; i < words.size(); ++i)
      bytes += ">3\r\n" + text(kind) + text(words[i]) + ":1\r\n";
    return bytes;
  }

  SocketFixture& fixture_;
  TemporaryDirectory directory_;
  net::FileDescriptor listener_;
};

}  // namespace roomcast::test

#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/listening_socket.h"
#include "net/socket_stream.h"
#include "redis/resp_reader.h"
#include "redis/server_address.h"
#include "support/socket_fixture.h"
#include "support/sockets.h"

namespace roomcast::test {

/// A Sentinel on a port of the loopback and the loop of a fixture, which says what the test wants.
class FakeSentinel final : private loop::Pollable {
 public:
  struct Other {
    std::string id;
    std::uint16_t port = 0;
  };

  FakeSentinel(SocketFixture& fixture, std::string id_)
      : id(std::move(id_)),
        fixture_(fixture),
        socket_(std::move(*net::ListeningSocket::bind(parse_address("127.0.0.1:0"), 0600))) {
    REQUIRE(fixture_.sockets.poller.add(*this, {true, false}) == 0);
  }
  FakeSentinel(const FakeSentinel&) = delete;
  FakeSentinel& operator=(const FakeSentinel&) = delete;
  ~FakeSentinel() { fixture_.sockets.poller.remove(*this); }

  [[nodiscard]] std::uint16_t port() const { return socket_.address().port; }
  [[nodiscard]] redis::ServerAddress address() const {
    redis::ServerAddress made;
    made.host = "127.0.0.1";
    made.port = port();
    return made;
  }
  /// Names another primary from now on, without an announcement.
  void name(std::uint16_t primary, std::uint64_t epoch_) {
    primary_port = primary;
    epoch = epoch_;
  }
  void announce() {
    for (const auto& peer : peers_)
      peer->send(push("message", "+switch-master", "main 127.0.0.1 1 127.0.0.1 2"));
  }
  /// As the leader does before it announces the failover.
  void announce_promotion() {
    for (const auto& peer : peers_)
      peer->send(push("message", "+promoted-slave", "slave 127.0.0.1:2 127.0.0.1 2 @ main 127.0.0.1 1"));
  }
  /// Closes all connections.
  void drop() { peers_.clear(); }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }

  std::string id;
  std::string knows = "main";
  std::string mode = "sentinel";
  std::uint16_t primary_port = 0;
  std::string primary_host = "127.0.0.1";
  std::uint64_t epoch = 0;
  std::size_t sentinels = 1;  ///< that it says there are
  std::vector<Other> others;
  bool is_silent = false;  ///< once it has greeted
  bool may_subscribe = true;
  std::size_t asked = 0;  ///< for the address
  std::string hello;      ///< the last one, its words joined
  std::vector<std::string> channels;

 private:
  class Peer final : private net::ByteStream::Events {
   public:
    Peer(FakeSentinel& sentinel, net::FileDescriptor socket) : sentinel_(sentinel) {
      stream_ = std::move(*net::SocketStream::adopt(sentinel.fixture_.sockets, std::move(socket)));
      stream_->set_events(*this);
    }
    void send(const std::string& bytes) {
      const std::string_view piece = bytes;
      if (!has_ended) CHECK(stream_->write({&piece, 1}) == bytes.size());
    }
    bool has_ended = false;

   private:
    void on_bytes(std::span<char> bytes) override {
      reader_.add({bytes.data(), bytes.size()});
      while (const redis::Value* value = reader_.next()) {
        std::vector<std::string> words;
        for (const redis::Value& item : value->items)
          words.emplace_back(item.text);
        const std::string reply = sentinel_.answer(words);
        if (!reply.empty()) send(reply);
      }
    }
    void on_end() override { has_ended = true; }
    void on_writable() override {}
    void on_error(std::string_view /*why*/) override { has_ended = true; }

    FakeSentinel& sentinel_;
    redis::RespReader reader_;
    std::unique_ptr<net::ByteStream> stream_;
  };

  static std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  }
  static std::string map(const std::vector<std::pair<std::string, std::string>>& items) {
    std::string out = "%" + std::to_string(items.size()) + "\r\n";
    for (const auto& [key, value] : items)
      out += bulk(key) + bulk(value);
    return out;
  }
  static std::string push(std::string_view kind, std::string_view channel, std::string_view text) {
    return ">3\r\n" + bulk(kind) + bulk(channel) + bulk(text);
  }

  std::string answer(const std::vector<std::string>& words) {
    if (words.at(0) == "HELLO") {
      hello.clear();
      for (const std::string& word : words)
        hello += (hello.empty() ? "" : " ") + word;
      return "%3\r\n" + bulk("server") + bulk("redis") + bulk("proto") + ":3\r\n" + bulk("mode") + bulk(mode);
    }
    if (words[0] == "SUBSCRIBE") {
      if (!may_subscribe) return "-NOPERM no\r\n";
      channels.push_back(words.at(1));
      return ">3\r\n" + bulk("subscribe") + bulk(words[1]) + ":1\r\n";
    }
    const std::string& what = words.at(1);
    if (is_silent) return {};
    if (what == "MYID") return bulk(id);
    if (words.at(2) != knows) return "-ERR No such master with that name\r\n";
    // While a failover is under way the address in this one is the old one.
    if (what == "MASTER")
      return map({{"ip", "127.0.0.1"},
                  {"port", "9"},
                  {"config-epoch", std::to_string(epoch)},
                  {"num-other-sentinels", std::to_string(sentinels - 1)}});
    if (what == "SENTINELS") {
      std::string out = "*" + std::to_string(others.size()) + "\r\n";
      for (const Other& other : others)
        out += map({{"ip", "127.0.0.1"}, {"port", std::to_string(other.port)}, {"runid", other.id}});
      return out;
    }
    ++asked;
    return "*2\r\n" + bulk(primary_host) + bulk(std::to_string(primary_port));
  }

  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  void on_ready(loop::Readiness /*ready*/) override {
    net::FileDescriptor accepted(::accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!accepted.is_open()) return;
    std::erase_if(peers_, [](const auto& peer) { return peer->has_ended; });
    peers_.push_back(std::make_unique<Peer>(*this, std::move(accepted)));
  }

  SocketFixture& fixture_;
  net::ListeningSocket socket_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace roomcast::test

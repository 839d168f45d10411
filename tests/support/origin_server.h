#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/scheduler.h"
#include "net/listening_socket.h"
#include "net/socket_stream.h"
#include "net/tls_shared.h"
#include "support/socket_fixture.h"
#include "support/sockets.h"

namespace roomcast::test {

/// A server on the loop of a fixture, which answers with the bytes that a test wants, wrong ones too. It
/// takes a request for complete at the end of its head, or of a body with Content-Length.
class OriginServer final : private loop::Pollable {
 public:
  class Connection final : public base::Disposable, private net::ByteStream::Events {
   public:
    Connection(OriginServer& server, net::FileDescriptor socket)
        : server_(server), handle_(::dup(socket.number())) {
      stream_ = std::move(*net::SocketStream::adopt(server.fixture_.sockets, std::move(socket)));
      if (server.tls != nullptr) stream_ = server.tls->wrap(std::move(stream_), "127.0.0.1");
      stream_->set_events(*this);
    }

    void send(std::string_view bytes) {
      unsent_ += bytes;
      write();
    }
    /// A complete response; `fields` with their line ends.
    void respond(int status, std::string_view fields, std::string_view body) {
      send("HTTP/1.1 " + std::to_string(status) + " Some\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + std::string(fields) + "\r\n" + std::string(body));
    }
    /// FIN behind what was sent.
    void close() { end(); }
    void reset() {
      test::reset_on_close(handle_);
      end();
    }
    [[nodiscard]] bool is_open() const { return stream_ != nullptr && !has_ended_; }

   private:
    void on_bytes(std::span<char> bytes) override {
      received_.append(bytes.data(), bytes.size());
      take_requests();
    }
    void on_end() override { end(); }
    void on_writable() override { write(); }
    void on_error(std::string_view why) override {
      server_.broken_by = why;
      end();
    }
    void take_requests() {
      for (;;) {
        const std::size_t head = received_.find("\r\n\r\n");
        if (head == std::string::npos) return;
        std::size_t size = head + 4;
        const std::size_t field = received_.find("Content-Length: ");
        if (field < head) size += std::stoul(received_.substr(field + 16));
        if (received_.size() < size) return;
        const std::string request = received_.substr(0, size);
        received_.erase(0, size);
        server_.requests.push_back(request);
        server_.on_request(*this, request);
      }
    }
    void write() {
      if (stream_ == nullptr || has_ended_) return;
      const std::string_view bytes = unsent_;
      unsent_.erase(0, stream_->write({&bytes, 1}));
    }
    void end() {
      if (!std::exchange(has_ended_, true)) server_.dispose(*this);
    }

    OriginServer& server_;
    std::string received_;
    std::string unsent_;
    bool has_ended_ = false;
    net::FileDescriptor handle_;
    std::unique_ptr<net::ByteStream> stream_;
  };

  explicit OriginServer(SocketFixture& fixture)
      : fixture_(fixture),
        socket_(std::move(*net::ListeningSocket::bind(parse_address("127.0.0.1:0"), 0600))) {
    REQUIRE(fixture_.sockets.poller.add(*this, {true, false}) == 0);
  }
  ~OriginServer() {
    fixture_.sockets.poller.remove(*this);
    close_all();
  }
  OriginServer(const OriginServer&) = delete;
  OriginServer& operator=(const OriginServer&) = delete;

  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return std::string(tls != nullptr ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) +
           std::string(path);
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.address().port; }
  /// Not within on_request.
  void close_all() {
    connections_.clear();
    fixture_.turn.reap_all();
  }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] Connection& connection(std::size_t index) { return *connections_[index]; }

  net::TlsWrapper* tls = nullptr;  ///< for connections from now on
  std::function<void(Connection&, const std::string& request)> on_request;
  std::vector<std::string> requests;
  std::size_t accepted = 0;
  std::string broken_by;  ///< why the last connection broke

 private:
  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  void on_ready(loop::Readiness /*ready*/) override {
    net::FileDescriptor accepted_socket(
        ::accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted_socket.number() < 0) return;
    ++accepted;
    connections_.push_back(std::make_unique<Connection>(*this, std::move(accepted_socket)));
  }
  void dispose(Connection& ended) {
    for (auto& connection : connections_) {
      if (connection.get() != &ended) continue;
      fixture_.turn.free_later(std::move(connection));
      std::swap(connection, connections_.back());
      connections_.pop_back();
      return;
    }
  }

  SocketFixture& fixture_;
  net::ListeningSocket socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace roomcast::test

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/poller.h"
#include "net/admission.h"
#include "net/byte_stream.h"
#include "net/cidr.h"
#include "net/listening_socket.h"
#include "net/proxy_preambles.h"
#include "net/socket_stream.h"

namespace roomcast::net {

/// What listeners count, all together.
struct ListenerStats {
  std::uint64_t accepted = 0;             ///< handed on
  std::uint64_t refused_per_address = 0;  ///< limits.connections_per_address: one answer, or closed at once
  std::uint64_t taken_in_reserve = 0;     ///< accepted for one short answer: limits.connections was reached
  std::uint64_t paused_full = 0;          ///< how often there was no room even for that: accepting stopped
  std::uint64_t out_of_descriptors = 0;   ///< closed at once for want of a file descriptor
  std::uint64_t failed = 0;               ///< other failures of accept()
};

class ListenerEvents {
 public:
  /// A client has connected. Over TLS the handshake is still to come: the stream does it by itself once
  /// somebody listens to its events.
  virtual void on_connection(std::unique_ptr<ByteStream> stream, Peer peer, Admission admission) = 0;

 protected:
  ~ListenerEvents() = default;
};

/// Accepts connections on one socket, a bounded number in each turn; plain, TLS and Unix sockets look alike
/// to who gets them. At limits.connections connections that wait for a request make room; where there are
/// none newcomers are admitted in the reserve, and when that is full too they wait in the backlog. Those
/// whose address has as many as it may are admitted among the refusals, and closed at once when there are too
/// many of these. Destroying it stops listening; its connections live on.
class Listener final : private AdmissionControl::Listener,
                       private loop::Timer::Listener,
                       private ProxyPreambles::Receiver,
                       private loop::Pollable {
 public:
  /// What listeners share; all of it outlives them.
  struct Shared {
    loop::Loop& loop;
    SocketShared& sockets;
    AdmissionControl& admissions;
    const CidrList& exempt;  ///< trusted proxies: without a cap per address, and believed about their clients
    ListenerStats& stats;
    base::Log& log;
    ListenerEvents& events;
  };
  struct Options {
    /// No more than can be served in a turn as well: whoever was there before must not wait behind a storm.
    int accepts_per_turn = 64;
    /// What its connections are admitted for: regular or operations.
    Lane lane = Lane::regular;
    /// Reads the PROXY protocol header that trusted proxies have to send, and outlives the listener. Null:
    /// nobody sends one.
    ProxyPreambles* preambles = nullptr;
  };

  /// `tls` is null for a plain listener, and outlives the listener otherwise.
  [[nodiscard]] static base::Result<std::unique_ptr<net::Listener>> start(const Shared& shared,
                                                                          ListeningSocket socket,
                                                                          StreamWrapper* tls,
                                                                          const Options& options);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// Where it listens, with the true port: "http://127.0.0.1:43117".
  [[nodiscard]] std::string url() const;
  [[nodiscard]] Lane lane() const { return options_.lane; }

 private:
  Listener(const Shared& shared, ListeningSocket socket, StreamWrapper* tls, const Options& options);
  void on_ready(loop::Readiness ready) override;
  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  void on_room_again() override { listen(true); }
  void on_timer(loop::Timer& timer) override;

  /// One log line an interval, however often it happens.
  class RateLimit {
   public:
    [[nodiscard]] bool is_due(std::int64_t now_ms);

   private:
    std::int64_t next_ms_ = 0;
  };

  /// Whether somebody can be admitted at all.
  [[nodiscard]] bool has_room() const;
  void listen(bool wanted);
  bool accept_one();
  void admit(FileDescriptor socket, Peer peer);
  void on_preamble(FileDescriptor socket, Peer client) override {
    take(std::move(socket), std::move(client));
  }
  /// Hands the connection on, if there is room for it.
  void take(FileDescriptor socket, Peer peer);
  /// Stays empty if the connection is to be closed.
  [[nodiscard]] Admission admission_for(const Peer& peer);
  void note_refusal(const Peer& peer);
  bool accept_failed(int error);
  bool shed_one();
  void complain(std::string_view what, int error);

  Shared shared_;
  ListeningSocket socket_;
  StreamWrapper* tls_;
  Options options_;
  bool on_loopback_;
  FileDescriptor reserve_;  // given up for a moment when there are no more descriptors
  loop::Timer retry_;
  RateLimit complaint_line_;
  RateLimit refusal_line_;
  RateLimit full_line_;
};

}  // namespace roomcast::net

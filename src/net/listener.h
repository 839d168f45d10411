#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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

/// Counters of all listeners together.
struct ListenerStats {
  std::uint64_t accepted = 0;             ///< passed on
  std::uint64_t refused_per_address = 0;  ///< limits per address: one response, or closed
  std::uint64_t taken_in_reserve = 0;     ///< accepted for one short response: limits.connections was reached
  std::uint64_t paused_full = 0;          ///< how often accepting stopped because the reserve was full too
  std::uint64_t out_of_descriptors = 0;   ///< closed for lack of file descriptors
  std::uint64_t failed = 0;               ///< other failures of accept()
  std::uint64_t refused_by_rate = 0;      ///< connects of one address: one response, or closed
};

class ListenerEvents {
 public:
  /// A client has connected. Over TLS the handshake is still to come: the stream starts it with set_events.
  virtual void on_connection(std::unique_ptr<ByteStream> stream, Peer peer, Admission admission) = 0;
  /// Whether another client of `address` may connect now, which counts it. Asked before the limits, for
  /// connections of Lane::regular, trusted proxies excepted; if not, it is treated as one past the limit per
  /// address.
  [[nodiscard]] virtual bool may_connect(std::string_view /*address*/) { return true; }

 protected:
  ~ListenerEvents() = default;
};

/// Accepts connections on one socket, a bounded number per turn; plain, TLS and Unix sockets look alike to
/// the receiver. When limits.connections is reached, waiting connections are shed; if there are none,
/// newcomers are admitted in the reserve, and when that is full too they stay in the backlog. Connections
/// over the limit per address are admitted in Lane::refusals, and closed if that is full. Destroying the
/// listener stops listening; its connections live on.
class Listener final : private AdmissionControl::Listener,
                       private loop::Timer::Listener,
                       private ProxyPreambles::Receiver,
                       private loop::Pollable {
 public:
  /// Shared by all listeners; everything outlives them.
  struct Shared {
    loop::Loop& loop;
    SocketShared& sockets;
    AdmissionControl& admissions;
    const CidrList&
        exempt;  ///< trusted proxies: no limit per address, and their client addresses are believed
    ListenerStats& stats;
    base::Log& log;
    ListenerEvents& events;
  };
  struct Options {
    /// No more than can also be served in a turn: existing clients must not wait for a burst of new ones.
    int accepts_per_turn = 64;
    /// The lane of its connections: regular or operations.
    Lane lane = Lane::regular;
    /// Reads the PROXY protocol header that trusted proxies must send; outlives the listener. Null: no such
    /// header.
    ProxyPreambles* preambles = nullptr;
  };

  /// `tls` is null for a plain listener, otherwise it outlives the listener.
  [[nodiscard]] static base::Result<std::unique_ptr<net::Listener>> start(const Shared& shared,
                                                                          ListeningSocket socket,
                                                                          StreamWrapper* tls,
                                                                          const Options& options);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// The address it listens on, with the actual port: "http://127.0.0.1:43117".
  [[nodiscard]] std::string url() const;
  [[nodiscard]] Lane lane() const { return options_.lane; }

 private:
  Listener(const Shared& shared, ListeningSocket socket, StreamWrapper* tls, const Options& options);
  void on_ready(loop::Readiness ready) override;
  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  void on_room_again() override { listen(true); }
  void on_timer(loop::Timer& timer) override;

  /// Limits a log line to one per interval.
  class RateLimit {
   public:
    [[nodiscard]] bool is_due(std::int64_t now_ms);

   private:
    std::int64_t next_ms_ = 0;
  };

  /// Whether any connection can be admitted.
  [[nodiscard]] bool has_room() const;
  void listen(bool wanted);
  bool accept_one();
  void admit(FileDescriptor socket, Peer peer);
  void on_preamble(FileDescriptor socket, Peer client) override {
    take(std::move(socket), std::move(client));
  }
  /// Passes the connection on if the limits allow it.
  void take(FileDescriptor socket, Peer peer);
  /// Admits a connection from `peer`; empty if it is to be closed.
  [[nodiscard]] Admission admission_for(const Peer& peer);
  void note_refusal(const Peer& peer, std::string_view why, std::uint64_t refused_so_far);
  bool accept_failed(int error);
  bool shed_one();
  void complain(std::string_view what, int error);

  Shared shared_;
  ListeningSocket socket_;
  StreamWrapper* tls_;
  Options options_;
  bool on_loopback_;
  int singles_ = 0;         // how many times in a row only one was accepted, see on_ready
  FileDescriptor reserve_;  // closed for a moment when descriptors run out, to accept and close a connection
  loop::Timer retry_;
  RateLimit complaint_line_;
  RateLimit refusal_line_;
  RateLimit full_line_;
};

}  // namespace roomcast::net

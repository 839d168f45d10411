#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadlines.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/poller.h"
#include "net/address.h"
#include "net/byte_stream.h"
#include "net/file_descriptor.h"
#include "net/socket_stream.h"

struct addrinfo;
struct uv_getaddrinfo_s;

namespace roomcast::net {

/// Where to connect to: a name or a numeric address with a port, or the path of a Unix socket.
struct DialTarget {
  std::string host;  ///< IPv6 addresses without brackets
  std::uint16_t port = 0;
  std::string path;  ///< of a Unix socket; then the others are not used

  /// `host:port`, `[::1]:port` or `unix:/path`.
  [[nodiscard]] std::string to_text() const;
};

/// Makes outgoing connections, for links that last: with TCP_NODELAY and keep-alive, so that a server that
/// has vanished is noticed after about 30 s.
///
/// Names are looked up on libuv's threads. The addresses, eight at most, are tried one after the other, in
/// the order of the system (RFC 6724), within one deadline for all of it: of the time that is left each gets
/// the same share as those after it.
class Dialer {
 public:
  /// All of these outlive it.
  struct Parts {
    loop::Loop& loop;
    SocketShared& sockets;
    base::Deadlines& deadlines;
  };
  class Listener {
   public:
    /// One of the two, once, never from within `dial`. The attempt is over, and may be destroyed from here.
    virtual void on_dialled(std::unique_ptr<ByteStream> stream) = 0;
    /// `why` names the target and what went wrong; where several addresses were tried, with each of them.
    virtual void on_dial_failed(std::string_view why) = 0;

   protected:
    ~Listener() = default;
  };
  /// An attempt under way. Destroying it, at any time, ends it: the listener is not called any more.
  class Attempt;

  /// A look-up cannot be stopped once it runs. Those whose attempts have ended before are bounded: with so
  /// many of them all further ones fail at once, until some have come back.
  static constexpr std::size_t left_lookups_max = 16;
  static constexpr std::size_t addresses_max = 8;

  explicit Dialer(const Parts& parts);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  /// All attempts must have been destroyed before. Waits for look-ups that are running, up to the time-outs
  /// of the system's resolver (resolv.conf).
  ~Dialer();

  /// Begins to connect, and gives up after `timeout_ms`. `listener` outlives the attempt, the dialer too.
  [[nodiscard]] std::unique_ptr<Attempt> dial(const DialTarget& target, std::int64_t timeout_ms,
                                              Listener& listener);
  /// Look-ups that run although their attempts have ended.
  [[nodiscard]] std::size_t left_lookups() const { return left_lookups_; }

 private:
  struct Lookup;
  static void on_looked_up(uv_getaddrinfo_s* request, int status, addrinfo* found) noexcept;
  /// Returns 0 or an error of libuv. The attempt is told in a later turn, unless it leaves the look-up.
  [[nodiscard]] int look_up(Attempt& attempt);
  void leave(Lookup& lookup);

  Parts parts_;
  std::vector<std::unique_ptr<Lookup>> lookups_;  // libuv uses them until on_looked_up
  std::size_t left_lookups_ = 0;
};

class Dialer::Attempt final : private loop::Pollable,
                              private loop::Timer::Listener,
                              private base::Deadline::Listener {
 public:
  Attempt(Dialer& dialer, DialTarget target, std::int64_t timeout_ms, Dialer::Listener& listener);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt();

 private:
  friend class Dialer;

  void on_timer(loop::Timer& timer) override;
  void on_ready(loop::Readiness ready) override;
  void on_deadline() override;
  [[nodiscard]] int descriptor() const override { return socket_.number(); }

  void begin();
  void on_lookup_failed(int status);
  void try_addresses(std::vector<SocketAddress> addresses);
  /// Gives the present address its share of the time that is left.
  void limit_address();
  void connect();
  void on_connected();
  void on_address_failed(const std::string& cause);
  void stop_watching();
  void stop();
  /// The last that the attempt does: the listener may destroy it.
  void fail(const std::string& cause);

  Dialer& dialer_;
  Dialer::Listener& listener_;
  DialTarget target_;
  std::int64_t share_ms_;     // of the whole attempt or, of several addresses, the present one
  std::int64_t end_ms_;       // of the whole attempt
  Lookup* lookup_ = nullptr;  // under way
  std::vector<SocketAddress> addresses_;
  std::size_t tried_ = 0;  // addresses that have failed
  std::string causes_;     // why
  FileDescriptor socket_;  // connecting
  bool is_watched_ = false;
  base::Deadline deadline_;
  loop::Timer timer_;  // for what is to be done in a later turn
};

}  // namespace roomcast::net

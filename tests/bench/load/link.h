#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "load/target.h"

struct ssl_st;

namespace roomcast::bench {

class TlsClient;

/// How an attempt to move bytes went. `again`: nothing more goes now, wait for the poller.
enum class Moved { some, again, ended, failed };

struct Move {
  Moved how = Moved::again;
  std::size_t bytes = 0;
};

/// A non-blocking byte channel to the target, plain or TLS. 16 bytes while it is plain.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { reset(); }

  /// Starts to connect; with `tls` to be encrypted. `tls` has to outlive the link. Throws std::runtime_error
  /// when the descriptors or ports of this machine are used up, with the name of the limit.
  void open(const Target& target, TlsClient* tls);
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// The TLS connection, once it is open; null over a plain one.
  [[nodiscard]] ssl_st* native() const { return tls_; }
  [[nodiscard]] bool is_plain() const { return tls_ == nullptr; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

  /// The poller has reported the descriptor. To be called before anything is read because of it.
  void refresh();

  /// Goes on with connecting, TLS handshake included: `some` when that is done. To be called when the poller
  /// says so, until then.
  [[nodiscard]] Moved connect();
  /// `ended` is an orderly end. Fewer bytes than fit do not mean that there are no more over TLS.
  [[nodiscard]] Move read(std::span<char> room);
  [[nodiscard]] Move write(std::string_view bytes);

  /// What the last call that failed has met, in words; to be asked at once.
  [[nodiscard]] std::string why() const;

  /// TCP's count of segments that were sent again.
  [[nodiscard]] std::uint32_t resent() const;

  /// Gives up the descriptor (FIN); nothing when it has none.
  void close();
  /// The same with a reset, as if the process had died. So no port of this machine stays taken (TIME_WAIT).
  void reset();

 private:
  void drop_tls();

  ssl_st* tls_ = nullptr;
  int descriptor_ = -1;
};

}  // namespace roomcast::bench

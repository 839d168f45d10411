#pragma once

#include <string>

namespace roomcast::bench {

/// The least a server can do, and so what the kernel (and OpenSSL, with `tls`) charges for it.
struct FloorSettings {
  /// Lay down all that a turn of the loop brought for a room and send it once to each subscriber, instead of
  /// one send for each message.
  bool join = false;
  bool tls = false;
  /// Take up permessage-deflate when it is offered, and send each message compressed once to all who took it
  /// up.
  bool deflate = false;
};

/// accept4, TCP_NODELAY, epoll; the request head is searched for its path and its end, the 101 is fixed but
/// for the accept key; frames of `/rooms/NAME` go, unmasked, to all of that room with send(2) or SSL_write,
/// those of `/echo` back to the sender. Nothing is queued: who does not take a frame at once is cut. Listens
/// on a free port of 127.0.0.1, prints its URL on standard error like roomcast does, and serves until it is
/// killed.
[[noreturn]] void run_floor(const FloorSettings& settings);

}  // namespace roomcast::bench

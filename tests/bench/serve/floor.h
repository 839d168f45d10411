#pragma once

#include <string>

namespace roomcast::bench {

/// The least a server can do, and so what the kernel (and OpenSSL, with `tls`) charges for it.
struct FloorSettings {
  /// Lay down all that a turn of the loop brought for a room and send it once to each subscriber, instead of
  /// one send for each message.
  bool join = false;
  bool tls = false;
  /// Take up permessage-deflate when it is offered, and send each message compressed once to all clients that
  /// took it up.
  bool deflate = false;
};

/// accept4, epoll (level-triggered), TCP_NODELAY inherited from the listening socket; the request head is
/// searched for its path, its key and its end, the 101 is fixed but for the accept key; messages of
/// `/rooms/NAME` go to all of that room with one send(2) or SSL_write each, those of `/echo` back to the
/// sender. Nothing is queued: where a socket does not take everything at once, all wait for it (`send_all` in
/// floor_link.h). Frames as in floor_frames.h; a client that sends others is cut. Listens on a free port of
/// 127.0.0.1, prints its URL on standard error like roomcast does, and serves until it is killed; ends the
/// process with a line on standard error when it cannot.
[[noreturn]] void run_floor(const FloorSettings& settings);

}  // namespace roomcast::bench

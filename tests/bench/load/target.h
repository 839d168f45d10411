#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace roomcast::bench {

/// How a subscriber reads its room.
enum class Way { websocket, event_stream, ndjson, long_poll };

/// What the frames of a WebSocket mean: the payload itself, or the envelope of `roomcast.v1`.
enum class Dialect { raw, json };

/// A server that is under load. Everything the tool measures speaks the same URLs: a WebSocket at
/// `/rooms/NAME` gets what is published there, and publishes there what it sends; `/echo` answers the sender.
struct Target {
  std::string host = "127.0.0.1";  ///< a numeric IPv4 address
  std::uint16_t port = 0;
  bool tls = false;  ///< the certificate is not verified
  pid_t pid = 0;     ///< of the server when it runs on this machine: its CPU time and memory; 0 when unknown
  std::string source{};  ///< the numeric IPv4 address that clients connect from; empty: the kernel chooses
  /// The kernel is to hold next to nothing for clients, so that what they do not read is the server's to
  /// keep: small segments, which keep the server's send buffer small, and a small receive buffer.
  bool narrow = false;
};

/// What every client of a run has in common.
struct ClientKind {
  Way way = Way::websocket;
  Dialect dialect = Dialect::raw;
  bool deflate = false;  ///< offer permessage-deflate, without context takeover
};

}  // namespace roomcast::bench

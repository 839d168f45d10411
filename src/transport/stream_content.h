#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "session/transport.h"

namespace roomcast::transport {

/// A format of endless answers: the wire form of payloads, and what surrounds them. Stateless, one object for
/// all clients.
class StreamContent : public session::Framing {
 public:
  virtual ~StreamContent() = default;
  /// Of the transport: in `?transport=`, the log and the metrics.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// For Accept and Content-Type.
  [[nodiscard]] virtual std::string_view media_type() const = 0;
  /// The beginning of a body; may be empty, and may differ from client to client.
  [[nodiscard]] virtual std::string opening() const { return {}; }
  /// Content without a meaning, which keeps the connection in use.
  [[nodiscard]] virtual std::string_view heartbeat() const = 0;
};

/// A comment and the end of its block: ignored by the client.
constexpr std::string_view sse_heartbeat = ":\n\n";

/// One event of a text/event-stream for each payload (WHATWG HTML section 9.2.5). `id` is the cursor. A
/// message without an event name has no `event` field; a binary one is the event "binary", its payload in
/// base64 (RFC 4648 section 4). Every line of a payload is a `data` line of its own, so a reader gets each
/// line break (CR LF, CR or LF) as LF: the format cannot express the difference.
class SseFraming final : public StreamContent {
 public:
  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override;
  [[nodiscard]] bool names_events() const override { return true; }
  [[nodiscard]] std::string_view name() const override { return "sse"; }
  /// The format is UTF-8 by definition; its media type takes no other charset (WHATWG HTML section 9.2.5).
  [[nodiscard]] std::string_view media_type() const override { return "text/event-stream"; }
  /// sse_opening, with another time for each client.
  [[nodiscard]] std::string opening() const override;
  [[nodiscard]] std::string_view heartbeat() const override { return sse_heartbeat; }
};

/// The beginning of an event stream: the time before the next attempt after a lost connection, and a comment.
[[nodiscard]] std::string sse_opening(std::int64_t retry_ms);

/// How long a client should wait before it reconnects, in milliseconds: two to four seconds, and as much more
/// as `least_ms` is above two. Random, so that clients that lose their connections together do not reconnect
/// together.
[[nodiscard]] std::int64_t sse_retry_ms(std::int64_t least_ms = 0);

/// An empty line: ignored by the client.
constexpr std::string_view ndjson_heartbeat = "\n";

/// One line for each payload (application/x-ndjson). The payload is one JSON value without line breaks, of a
/// dialect with an envelope.
class NdjsonFraming final : public StreamContent {
 public:
  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override {
    out += payload.bytes;
    out += '\n';
    return 0;
  }
  [[nodiscard]] bool names_events() const override { return false; }
  [[nodiscard]] std::string_view name() const override { return "stream"; }
  [[nodiscard]] std::string_view media_type() const override { return "application/x-ndjson"; }
  [[nodiscard]] std::string_view heartbeat() const override { return ndjson_heartbeat; }
};

}  // namespace roomcast::transport

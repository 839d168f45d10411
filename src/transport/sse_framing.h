#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "transport/stream_content.h"

namespace roomcast::transport {

/// A comment and the end of its block: content without a meaning, which keeps the connection in use.
constexpr std::string_view sse_heartbeat = ":\n\n";

/// One event of a text/event-stream per unit (WHATWG HTML section 9.2.5). `id` is the cursor. A message is an
/// event without a name, a binary one the event "binary" with its payload in base64 (RFC 4648 section 4).
/// Every line of a payload is a `data` line of its own, so whoever reads it gets each line break, CR LF, CR
/// or LF, as LF: the format can say no more.
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

/// What an event stream begins with: how long to wait before the next attempt after a cut, and a comment.
[[nodiscard]] std::string sse_opening(std::int64_t retry_ms);

/// How long a client should wait before it comes back, in milliseconds: two to four seconds, and as much more
/// as `least_ms` is above two. Different for each, so that those who were cut off together do not come back
/// together.
[[nodiscard]] std::int64_t sse_retry_ms(std::int64_t least_ms = 0);

}  // namespace roomcast::transport

#pragma once

#include <cstdint>
#include <optional>

#include "http/message.h"

namespace roomcast::transport {

/// How `GET /rooms/{room}` is answered.
enum class Choice : std::uint8_t { websocket, event_stream, ndjson, poll };

/// What the client wants: WebSocket if it asks for that upgrade; else what `?transport=` says (websocket,
/// sse, stream, poll), for tools that can't set fields; else by Accept (RFC 9110 section 12.5.1) whichever of
/// text/event-stream, application/x-ndjson and application/json has the highest weight, the earlier of equal
/// ones, or a poll if none of them is named. A type with weight 0 counts as not named, a wildcard names
/// nothing. Nothing if `?transport=` has any other value.
[[nodiscard]] std::optional<Choice> choose(const http::Request& request);

/// Whether the answer may be compressed with gzip (RFC 9110 section 12.5.3): the client accepts it, by name
/// or as "*", and does not like "identity" better. Not if the client says nothing.
[[nodiscard]] bool accepts_gzip(const http::Request& request);

}  // namespace roomcast::transport

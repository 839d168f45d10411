#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/refusal.h"
#include "base/result.h"
#include "http/limits.h"
#include "http/message.h"

namespace roomcast::http {

/// Limits the cost of look-ups: each handler looks for several parameters, and each look-up passes the
/// others.
inline constexpr std::size_t query_parameters_max = 100;

/// How the body of a request is delimited (RFC 9112 section 6.3).
struct BodyFraming {
  enum class Kind : std::uint8_t { none, length, chunked };
  Kind kind = Kind::none;
  std::uint64_t length = 0;     ///< for Kind::length
  bool wants_continue = false;  ///< the client waits for 100 (Continue) before it sends the body
};

/// Validates the header fields together and completes `request`: `target` becomes path and query, the
/// authority of an absolute target replaces Host (RFC 9112 section 3.2.2). Refuses everything that two
/// readers could interpret differently: Content-Length with Transfer-Encoding, repeated or malformed ones,
/// chunked not last, a missing, second or invalid Host; more than `query_parameters_max` query parameters,
/// including empty ones; and a Content-Length over limits.body_bytes with 413, before the body is read.
[[nodiscard]] base::Result<BodyFraming, base::Refusal> check_head(Request& request, std::string_view target,
                                                                  const ParserLimits& limits);

/// Whether the connection persists after this request (RFC 9112 section 9.3).
[[nodiscard]] bool wants_keep_alive(const Request& request);

}  // namespace roomcast::http

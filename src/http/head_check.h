#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/refusal.h"
#include "base/result.h"
#include "http/limits.h"
#include "http/message.h"

namespace roomcast::http {

/// Each handler looks for a few of them, and each look passes by the others.
inline constexpr std::size_t query_parameters_max = 100;

/// How the body of a request is delimited (RFC 9112 section 6.3).
struct BodyFraming {
  enum class Kind : std::uint8_t { none, length, chunked };
  Kind kind = Kind::none;
  std::uint64_t length = 0;     ///< of Kind::length
  bool wants_continue = false;  ///< the client waits for 100 (Continue) before it sends the body
};

/// Judges what the header fields say together, and completes `request`: `target` becomes path and query, the
/// authority of an absolute target replaces Host (RFC 9112 section 3.2.2). Refuses whatever two readers could
/// take differently: Content-Length with Transfer-Encoding, repeated or malformed ones, chunked not last,
/// a missing, second or invalid Host; more than `query_parameters_max` of these, empty ones included; and a
/// Content-Length past limits.body_bytes with 413, so before the body is read.
[[nodiscard]] base::Result<BodyFraming, base::Refusal> check_head(Request& request, std::string_view target,
                                                                  const ParserLimits& limits);

/// Whether the client lets the connection live on behind this request (RFC 9112 section 9.3).
[[nodiscard]] bool wants_keep_alive(const Request& request);

}  // namespace roomcast::http

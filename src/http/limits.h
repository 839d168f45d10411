#pragma once

#include <cstddef>
#include <cstdint>

namespace roomcast::http {

/// What one request may cost. Each is a key of the configuration's `limits`.
struct ParserLimits {
  std::size_t header_bytes = 16384;  ///< all header field lines with their line ends (431)
  std::size_t header_count = 100;    ///< header field lines (431)
  std::size_t uri_bytes = 8192;      ///< the request target (414)
  std::size_t body_bytes = 1048576;  ///< the decoded body (413)
};

/// Deadlines and bounds of one connection.
struct ConnectionSettings {
  std::int64_t head_ms = 10'000;  ///< from a request's first byte (or from accept) to the end of its head
  /// For the rest of a head that is refused already, in which a page's Origin may come.
  std::int64_t late_head_ms = 250;
  /// From accept to the end of the head where all there is for it is a refusal.
  std::int64_t refused_head_ms = 2'000;
  std::int64_t body_ms = 30'000;   ///< from the end of the head to the end of the body
  std::int64_t idle_ms = 75'000;   ///< between requests
  std::int64_t write_ms = 30'000;  ///< without progress on an answer that the client does not read
  std::int64_t linger_ms = 2'000;  ///< after the last answer, for the client's FIN
  std::size_t linger_bytes = std::size_t{16} << 20U;  ///< discarded while lingering
  std::size_t read_ahead_bytes = 16'384;  ///< pipelined bytes kept before reading is paused (plus one read)
  std::size_t write_ahead_bytes =
      65'536;  ///< of answers queued before the next pipelined request is looked at
};

}  // namespace roomcast::http

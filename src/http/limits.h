#pragma once

#include <cstddef>
#include <cstdint>

namespace roomcast::http {

/// Limits of one request. Each is a key of `limits` in the configuration.
struct ParserLimits {
  std::size_t header_bytes;  ///< all header field lines with their line ends (431)
  std::size_t header_count;  ///< header field lines (431)
  std::size_t uri_bytes;     ///< the request target (414)
  std::size_t body_bytes;    ///< the decoded body (413)
};

/// Deadlines and limits of one connection. Those without a value here are keys of `http` in the
/// configuration.
struct ConnectionSettings {
  std::int64_t head_ms;  ///< from a request's first byte (or from accept) to the end of its head
  /// For the rest of a refused head, in which the Origin of a page may follow.
  std::int64_t late_head_ms = 250;
  /// From accept to the end of the head if the connection only gets a refusal.
  std::int64_t refused_head_ms = 2'000;
  std::int64_t body_ms;            ///< from the end of the head to the end of the body
  std::int64_t idle_ms;            ///< between requests
  std::int64_t write_ms = 30'000;  ///< without progress of a response that the client does not read
  std::int64_t linger_ms = 2'000;  ///< after the last response, for the FIN of the client
  std::size_t linger_bytes = std::size_t{16} << 20U;  ///< the most that is discarded while lingering
  std::size_t read_ahead_bytes = 16'384;  ///< pipelined bytes stored before reading is paused (plus one read)
  /// The size of queued responses from which further pipelined requests wait.
  std::size_t write_ahead_bytes = 65'536;
};

}  // namespace roomcast::http

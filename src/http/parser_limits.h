#pragma once

#include <cstddef>

namespace roomcast::http {

/// What one request may cost. Each is a key of the configuration's `limits`.
struct ParserLimits {
  std::size_t header_bytes = 16384;  ///< all header field lines with their line ends (431)
  std::size_t header_count = 100;    ///< header field lines (431)
  std::size_t uri_bytes = 8192;      ///< the request target (414)
  std::size_t body_bytes = 1048576;  ///< the decoded body (413)
};

}  // namespace roomcast::http

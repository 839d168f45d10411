#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "load/http_body.h"
#include "load/target.h"

namespace roomcast::bench {

/// The head of an HTTP answer, as far as a client of the load looks at it.
struct HttpAnswer {
  std::size_t used = 0;  ///< of the bytes given; 0 while the head is not whole
  int status = 0;        ///< 0: this is no HTTP/1.1 answer
  std::string_view status_line;
  HttpBody body;
  std::string_view accept;      ///< Sec-WebSocket-Accept
  std::string_view protocol;    ///< Sec-WebSocket-Protocol
  std::string_view extensions;  ///< Sec-WebSocket-Extensions
};

constexpr std::size_t max_answer_head_bytes = 16384;

/// Reads the head at the front of `bytes`.
[[nodiscard]] HttpAnswer take_answer_head(std::string_view bytes);

/// The request that opens a client of `kind` on `path`. Long poll: the immediate poll that gives the first
/// cursor; with `cursor`, the one that waits for what comes behind it.
[[nodiscard]] std::string make_request(const ClientKind& kind, std::string_view host, std::string_view path,
                                       std::string_view cursor = {});

/// Whether `answer` is the one that `make_request` has asked for: status, accept key, subprotocol, and
/// permessage-deflate without context takeover where it was offered.
[[nodiscard]] bool is_agreed(const ClientKind& kind, const HttpAnswer& answer);

}  // namespace roomcast::bench

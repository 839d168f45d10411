#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace roomcast::http {

/// The options of a response head.
struct HeadOptions {
  bool keep_alive = true;
  int minor_version = 1;  ///< of the request: HTTP/1.0 needs an explicit keep-alive
  std::string_view date;  ///< IMF-fixdate; empty: no Date, for a response that is made long before it is sent
};

/// Whether a response of that status has a body (RFC 9110 section 6.4.1); HEAD is left to the caller.
[[nodiscard]] bool has_body(int status);

/// Status line and header fields with the empty line (RFC 9112 section 4), including Date,
/// X-Content-Type-Options, Content-Length and Connection. Line breaks in field values become spaces: echoed
/// text cannot split a head.
[[nodiscard]] std::string response_head(const Response& response, const HeadOptions& options);

/// The head of a response without end: in chunks (RFC 9112 section 7.1) or, for HTTP/1.0, which does not
/// support them, up to the end of the connection. The connection serves no further request.
[[nodiscard]] std::string endless_response_head(const Response& response, int minor_version,
                                                std::string_view date);

/// The value of Date (IMF-fixdate, RFC 9110 section 5.6.7), formatted once per second.
class DateText {
 public:
  /// Valid until the next call.
  [[nodiscard]] std::string_view at(std::int64_t wall_ms);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

}  // namespace roomcast::http

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace roomcast::http {

/// What a response head says besides the response itself.
struct HeadOptions {
  bool keep_alive = true;
  int minor_version = 1;  ///< of the request: HTTP/1.0 has to be told that the connection stays open
  std::string_view date;  ///< IMF-fixdate; empty: none, of an answer that is made long before it is sent
};

/// Whether a response of that status has a body at all (RFC 9110 section 6.4.1); HEAD is the caller's
/// business.
[[nodiscard]] bool has_body(int status);

/// Status line and header fields with the empty line (RFC 9112 section 4), Date, X-Content-Type-Options,
/// Content-Length and Connection included. A line break within a field's value becomes a space: what a
/// handler echoes can't split a head.
[[nodiscard]] std::string response_head(const Response& response, const HeadOptions& options);

/// The same for a body without end: in chunks (RFC 9112 section 7.1) or, for HTTP/1.0, which does not know
/// them, up to the end of the connection. The connection serves no other request either way.
[[nodiscard]] std::string endless_response_head(const Response& response, int minor_version,
                                                std::string_view date);

/// Date in the form HTTP wants (IMF-fixdate, RFC 9110 section 5.6.7), formatted once a second.
class DateText {
 public:
  /// Valid until the next call.
  [[nodiscard]] std::string_view at(std::int64_t wall_ms);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

}  // namespace roomcast::http

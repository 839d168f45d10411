#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/origin.h"
#include "http/message.h"

namespace roomcast::auth {

/// Lets the page of an allowed other origin read this answer (WHATWG Fetch, CORS protocol). Adds nothing to
/// Access-Control-… for anybody else, and Vary: Origin always, since the answer depends on it.
void add_cors(http::Headers& headers, const OriginDecision& decision);

/// The fields that let the page of `origin` read an answer. `credentials`: also where it sends cookies or
/// HTTP authentication along.
void allow_reading(http::Headers& headers, std::string_view origin, bool credentials);

/// The fields of a preflight's answer that allow `methods` (a list), and header fields that pages send.
void allow_requests(http::Headers& headers, std::string_view methods, const OriginRules& rules);

/// Whether `request` is a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.
[[nodiscard]] bool is_preflight(const http::Request& request);

/// The methods' names as a list for a header field.
[[nodiscard]] std::string list_of(const std::vector<http::Method>& methods);

/// The answer to a preflight: 204 with what is allowed, or the 403 of a denied origin.
[[nodiscard]] http::Response answer_preflight(const OriginDecision& decision,
                                              const std::vector<http::Method>& methods,
                                              const OriginRules& rules);

/// The 403 of a denied origin.
[[nodiscard]] http::Response refuse_origin(const OriginDecision& decision);

}  // namespace roomcast::auth

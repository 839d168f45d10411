#pragma once

#include <string_view>

#include "auth/origin.h"
#include "http/message.h"

namespace roomcast::auth {

/// The fields that let the page of `origin` read an answer. `credentials`: also where it sends cookies or
/// HTTP authentication along.
void allow_reading(http::Headers& headers, std::string_view origin, bool credentials);

/// The fields of a preflight's answer that allow `methods` (a list), and header fields that pages send.
void allow_requests(http::Headers& headers, std::string_view methods, const OriginRules& rules);

/// Whether `request` is a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.
[[nodiscard]] bool is_preflight(const http::Request& request);

}  // namespace roomcast::auth

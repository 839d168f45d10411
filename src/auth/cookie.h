#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace roomcast::auth {

/// Every value of the cookie `name` in the Cookie fields (RFC 6265 section 4.2.1): views of `headers`.
[[nodiscard]] std::vector<std::string_view> cookie_values(const http::Headers& headers,
                                                          std::string_view name);
/// The first of them that is not empty; empty if there is none.
[[nodiscard]] std::string_view cookie_of(const http::Request& request, std::string_view name);

/// A Set-Cookie field for the session of a user: scripts can't read it (HttpOnly), and no request of a page
/// of another site brings it (SameSite=Strict). `secure`: the client's connection is encrypted, so the cookie
/// is not to be sent over others. `max_age_s` 0 removes the cookie.
[[nodiscard]] std::string session_cookie(std::string_view name, std::string_view value,
                                         std::int64_t max_age_s, bool secure);

}  // namespace roomcast::auth

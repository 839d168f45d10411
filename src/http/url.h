#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roomcast::http {

/// `text` with every %XX replaced by its byte, once (RFC 3986 section 2.1). A '%' without two hexadecimal
/// digits is an error that names it.
[[nodiscard]] base::Result<std::string> percent_decode(std::string_view text);
/// Like percent_decode with '+' as space, as in query strings of forms; nothing if an encoding is invalid.
[[nodiscard]] std::optional<std::string> form_decode(std::string_view text);
/// Whether form_decode(text) equals `plain`. Stops at the first difference, and copies nothing.
[[nodiscard]] bool form_equals(std::string_view text, std::string_view plain);

/// uri-host [":" port] (RFC 3986 section 3.2.2), as in Host. Views of the parsed text.
struct Authority {
  std::string_view host;  ///< as written; an IPv6 address keeps its brackets
  std::optional<std::uint16_t> port;
};
/// Nothing if `text` is not a valid, non-empty host with an optional port: user information, spaces, broken
/// encodings, bad brackets, a port past 65,535.
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text);

/// The parts of a request target (RFC 9112 section 3.2). Views of the parsed text.
struct Target {
  std::string_view authority;  ///< only of the absolute form
  std::string_view path;       ///< begins with '/', or is "*"
  std::string_view query;      ///< without '?'
};
/// Parses the origin form, the absolute form with http or https, or "*". Nothing for other texts, including
/// the authority form of CONNECT. The authority is not validated here.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace roomcast::http

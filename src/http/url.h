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
/// The same with '+' as space, as forms write query strings; nothing if an encoding is broken.
[[nodiscard]] std::optional<std::string> form_decode(std::string_view text);
/// Whether that of `text` is `plain`. Looks no further than the first difference, and copies nothing.
[[nodiscard]] bool form_equals(std::string_view text, std::string_view plain);

/// uri-host [":" port] (RFC 3986 section 3.2.2): what Host carries. A view into what was parsed.
struct Authority {
  std::string_view host;  ///< as it was written; an IPv6 address keeps its brackets
  std::optional<std::uint16_t> port;
};
/// Nothing if `text` is not a valid, non-empty host with an optional port: user information, spaces, broken
/// encodings, bad brackets, a port past 65,535.
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text);

/// A request target taken apart (RFC 9112 section 3.2). Views into what was parsed.
struct Target {
  std::string_view authority;  ///< of the absolute form only
  std::string_view path;       ///< begins with '/', or is "*"
  std::string_view query;      ///< without '?'
};
/// Origin form, absolute form with http or https, or "*". Nothing for anything else, the authority form of
/// CONNECT included. The authority is not judged here.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace roomcast::http

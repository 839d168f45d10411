#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace roomcast::auth {

/// A web origin (RFC 6454): scheme, host and port, normalised so that equal origins compare equal.
struct WebOrigin {
  std::string scheme;  ///< lower case
  std::string host;    ///< lower case; an IPv6 address in brackets
  std::uint16_t port = 0;
  friend bool operator==(const WebOrigin&, const WebOrigin&) = default;
};

/// `scheme://host[:port]` and nothing behind it. Nothing for "null", a path, a port left out of a scheme
/// whose default is not known (only http, https).
[[nodiscard]] std::optional<WebOrigin> parse_origin(std::string_view text);

/// The configured `origins`: which pages of other origins may use this server.
class OriginRules {
 public:
  /// Entries: an origin ("https://example.org:8443"), all hosts below a domain ("https://*.example.org",
  /// which is not example.org itself), "null" (sandboxed frames, files), or "*" (any). An error names the
  /// entry.
  static base::Result<OriginRules> parse(const std::vector<std::string>& entries);

  [[nodiscard]] bool allow(std::string_view origin) const;

 private:
  struct Rule {
    WebOrigin origin;  // of a wildcard: the host is what follows "*", so ".example.org"
    bool any_subdomain = false;
  };
  std::vector<Rule> rules_;
  bool any_ = false;
  bool null_ = false;
};

enum class OriginVerdict : std::uint8_t {
  not_a_browser,  ///< no Origin: allowed, CORS says nothing
  same_origin,    ///< allowed, CORS says nothing
  listed,         ///< another origin, allowed by `origins`
  denied,
};

struct OriginDecision {
  OriginVerdict verdict = OriginVerdict::denied;
  std::string origin;       ///< as the browser sent it
  std::string message;      ///< of a denial: for the client, names the entry to add to `origins`
  std::string_view hint{};  ///< of a denial: the same for the log, which has the origin already; a constant

  [[nodiscard]] bool allowed() const { return verdict != OriginVerdict::denied; }
};

/// Whether the page that makes this request may (RFC 6454, RFC 6455 section 10.2). The request's own origin
/// is the scheme of the client's leg with the Host field.
[[nodiscard]] OriginDecision check_origin(const http::Request& request, const OriginRules& rules);

}  // namespace roomcast::auth

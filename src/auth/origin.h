#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/exchange.h"
#include "http/message.h"

namespace roomcast::auth {

/// A web origin (RFC 6454): scheme, host and port, normalised so that equal origins compare equal. Apps in a
/// web view and browser extensions have schemes of their own (capacitor, tauri, chrome-extension) without
/// ports.
struct WebOrigin {
  std::string scheme;      ///< lower case
  std::string host;        ///< lower case; an IPv6 address in brackets; may be empty for schemes like file
  std::uint16_t port = 0;  ///< 0: none, for a scheme without a default port
  friend bool operator==(const WebOrigin&, const WebOrigin&) = default;
};

/// Parses `scheme://host[:port]` without anything after it, for http and https with their default ports; for
/// other schemes the host may be missing ("file://"). Nothing for "null" or a path.
[[nodiscard]] std::optional<WebOrigin> parse_origin(std::string_view text);

/// The configured `origins`: other origins whose pages may use this server.
class OriginRules {
 public:
  /// Entries: an origin ("https://example.org:8443", "capacitor://localhost"), all hosts below a domain
  /// ("https://*.example.org", which does not include example.org), "null" (sandboxed frames, files), or "*"
  /// (any). An error names the entry.
  static base::Result<OriginRules> parse(const std::vector<std::string>& entries);

  [[nodiscard]] bool allow(std::string_view origin) const;
  /// Whether pages of `origin` may send cookies and HTTP authentication: not if only "*" or "null" allows it,
  /// which stand for unknown pages.
  [[nodiscard]] bool allow_credentials(std::string_view origin) const {
    return credentials_ && names(origin);
  }
  /// Whether no other origin is allowed.
  [[nodiscard]] bool empty() const { return rules_.empty() && !any_ && !null_; }

  /// Sets `cors.credentials` and `cors.headers`: names of header fields that pages of other origins may send.
  void set_cors(bool credentials, std::vector<std::string> request_headers) {
    credentials_ = credentials;
    request_headers_ = std::move(request_headers);
  }
  [[nodiscard]] const std::vector<std::string>& request_headers() const { return request_headers_; }

 private:
  struct Rule {
    WebOrigin origin;  // the host of a wildcard is the part after "*": ".example.org"
    bool any_subdomain = false;
  };
  /// Whether an entry with this origin or its domain allows it.
  [[nodiscard]] bool names(std::string_view origin) const;

  std::vector<Rule> rules_;
  std::vector<std::string> request_headers_;
  bool credentials_ = false;
  bool any_ = false;
  bool null_ = false;
};

struct OriginDecision {
  http::OriginVerdict verdict = http::OriginVerdict::denied;
  std::string origin;        ///< as sent by the browser
  bool credentials = false;  ///< for a listed origin: its pages may send cookies and HTTP authentication

  [[nodiscard]] bool allowed() const { return verdict != http::OriginVerdict::denied; }
};

/// Whether the page that makes this request may do so (RFC 6454, RFC 6455 section 10.2). The own origin is
/// the scheme of the client connection with the Host field.
[[nodiscard]] OriginDecision check_origin(const http::Request& request, const OriginRules& rules);

struct OriginDenial {
  std::string origin;     ///< as sent by the browser
  std::string message;    ///< for the client; names the entry to add to `origins`
  std::string_view hint;  ///< for the log, which has the origin in another field; a constant
};

/// The reason for refusing a request of a denied origin, and what would allow it.
[[nodiscard]] OriginDenial explain_denial(const http::Request& request);

/// Adds the fields that let pages of `origin` read a response. `credentials`: also if they send cookies or
/// HTTP authentication.
void allow_reading(http::Headers& headers, std::string_view origin, bool credentials);

/// Adds the fields of a preflight response that allow `methods` (a list) and the header fields that pages may
/// send.
void allow_requests(http::Headers& headers, std::string_view methods, const OriginRules& rules);

/// Whether `request` is a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.
[[nodiscard]] bool is_preflight(const http::Request& request);

}  // namespace roomcast::auth

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
/// web view and browser extensions have schemes of their own (capacitor, tauri, chrome-extension), which know
/// no port.
struct WebOrigin {
  std::string scheme;      ///< lower case
  std::string host;        ///< lower case; an IPv6 address in brackets; empty only for schemes like file
  std::uint16_t port = 0;  ///< 0: none, of a scheme without a default
  friend bool operator==(const WebOrigin&, const WebOrigin&) = default;
};

/// `scheme://host[:port]` and nothing behind it, for http and https with their default ports; for other
/// schemes the host may be missing ("file://"). Nothing for "null" or a path.
[[nodiscard]] std::optional<WebOrigin> parse_origin(std::string_view text);

/// The configured `origins`: which pages of other origins may use this server.
class OriginRules {
 public:
  /// Entries: an origin ("https://example.org:8443", "capacitor://localhost"), all hosts below a domain
  /// ("https://*.example.org", which is not example.org itself), "null" (sandboxed frames, files), or "*"
  /// (any). An error names the entry.
  static base::Result<OriginRules> parse(const std::vector<std::string>& entries);

  [[nodiscard]] bool allow(std::string_view origin) const;
  /// Whether its pages may send cookies and HTTP authentication along: not where only "*" or "null" allows
  /// it, which stand for pages that nobody knows.
  [[nodiscard]] bool allow_credentials(std::string_view origin) const {
    return credentials_ && names(origin);
  }
  /// No other origin is allowed.
  [[nodiscard]] bool empty() const { return rules_.empty() && !any_ && !null_; }

  /// `cors.credentials` and `cors.headers`: names of header fields that pages of other origins may send.
  void set_cors(bool credentials, std::vector<std::string> request_headers) {
    credentials_ = credentials;
    request_headers_ = std::move(request_headers);
  }
  [[nodiscard]] const std::vector<std::string>& request_headers() const { return request_headers_; }

 private:
  struct Rule {
    WebOrigin origin;  // of a wildcard: the host is what follows "*", so ".example.org"
    bool any_subdomain = false;
  };
  /// Whether an entry that names it, or its domain, allows it.
  [[nodiscard]] bool names(std::string_view origin) const;

  std::vector<Rule> rules_;
  std::vector<std::string> request_headers_;
  bool credentials_ = false;
  bool any_ = false;
  bool null_ = false;
};

struct OriginDecision {
  http::OriginVerdict verdict = http::OriginVerdict::denied;
  std::string origin;        ///< as the browser sent it
  bool credentials = false;  ///< of a listed one: its pages may send cookies and the like along

  [[nodiscard]] bool allowed() const { return verdict != http::OriginVerdict::denied; }
};

/// Whether the page that makes this request may (RFC 6454, RFC 6455 section 10.2). The request's own origin
/// is the scheme of the client's leg with the Host field.
[[nodiscard]] OriginDecision check_origin(const http::Request& request, const OriginRules& rules);

struct OriginDenial {
  std::string origin;     ///< as the browser sent it
  std::string message;    ///< for the client, names the entry to add to `origins`
  std::string_view hint;  ///< the same for the log, which has the origin already; a constant
};

/// Why a request is refused whose page's origin is denied, and what would allow it.
[[nodiscard]] OriginDenial explain_denial(const http::Request& request);

/// The fields that let the page of `origin` read an answer. `credentials`: also where it sends cookies or
/// HTTP authentication along.
void allow_reading(http::Headers& headers, std::string_view origin, bool credentials);

/// The fields of a preflight's answer that allow `methods` (a list), and header fields that pages send.
void allow_requests(http::Headers& headers, std::string_view methods, const OriginRules& rules);

/// Whether `request` is a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.
[[nodiscard]] bool is_preflight(const http::Request& request);

}  // namespace roomcast::auth

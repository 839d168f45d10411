#include "auth/origin.h"

#include <algorithm>
#include <string>

#include "auth/hosts.h"
#include "base/text.h"
#include "http/url.h"

namespace roomcast::auth {

namespace {

std::optional<std::uint16_t> default_port(std::string_view scheme) {
  if (scheme == "http") return std::uint16_t{80};
  if (scheme == "https") return std::uint16_t{443};
  return std::nullopt;
}

std::optional<WebOrigin> make_origin(std::string scheme, std::string_view authority) {
  if (scheme == "ws" || scheme == "wss") return std::nullopt;  // pages never have these schemes
  if (authority.empty() && !default_port(scheme)) return WebOrigin{std::move(scheme), {}, 0};
  const auto parsed = http::parse_authority(authority);
  if (!parsed) return std::nullopt;
  const std::uint16_t port = parsed->port.value_or(default_port(scheme).value_or(0));
  return WebOrigin{std::move(scheme), base::lower_case(parsed->host), port};
}

/// The origin of the server as addressed by the client of `request`.
std::optional<WebOrigin> own_origin(const http::Request& request) {
  return make_origin(request.client.secure ? "https" : "http", request.headers.get("Host").value_or(""));
}

base::Error bad_entry(const std::string& entry) {
  return {"origins: '" + entry +
          "' is not an origin: expected https://example.org, https://*.example.org, capacitor://localhost, "
          "\"null\" or \"*\""};
}

}  // namespace

std::optional<WebOrigin> parse_origin(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) return std::nullopt;
  std::string scheme = base::lower_case(text.substr(0, scheme_end));
  if (scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") != std::string::npos)
    return std::nullopt;
  if (scheme.front() < 'a') return std::nullopt;  // must begin with a letter (RFC 3986 section 3.1)
  return make_origin(std::move(scheme), text.substr(scheme_end + 3));
}

base::Result<OriginRules> OriginRules::parse(const std::vector<std::string>& entries) {
  OriginRules rules;
  for (const auto& entry : entries) {
    if (entry == "*") {
      rules.any_ = true;
    } else if (entry == "null") {
      rules.null_ = true;
    } else {
      const auto star = entry.find("://*.");
      const bool wildcard = star != std::string::npos;
      auto origin = parse_origin(wildcard ? entry.substr(0, star + 3) + entry.substr(star + 5) : entry);
      if (!origin || origin->host.find('*') != std::string::npos) return bad_entry(entry);
      if (wildcard && origin->host.empty()) return bad_entry(entry);
      if (wildcard) origin->host.insert(0, ".");
      rules.rules_.push_back({*std::move(origin), wildcard});
    }
  }
  return rules;
}

bool OriginRules::allow(std::string_view text) const {
  if (any_) return true;
  if (text == "null") return null_;
  return names(text);
}

bool OriginRules::names(std::string_view text) const {
  const auto origin = parse_origin(text);
  if (!origin) return false;
  return std::any_of(rules_.begin(), rules_.end(), [&origin](const Rule& rule) {
    if (!rule.any_subdomain) return rule.origin == *origin;
    return rule.origin.scheme == origin->scheme && rule.origin.port == origin->port &&
           is_subdomain(origin->host, rule.origin.host);
  });
}

OriginDecision check_origin(const http::Request& request, const OriginRules& rules) {
  using http::OriginVerdict;
  if (request.headers.count("Origin") == 0) return {OriginVerdict::not_a_browser, {}};
  std::string text = request.headers.joined("Origin");
  if (!rules.empty() && rules.allow(text)) {
    const bool credentials = rules.allow_credentials(text);
    return {OriginVerdict::listed, std::move(text), credentials};
  }
  const auto origin = parse_origin(text);
  const bool is_own = origin && origin == own_origin(request);
  return {is_own ? OriginVerdict::same_origin : OriginVerdict::denied, std::move(text)};
}

OriginDenial explain_denial(const http::Request& request) {
  std::string text = request.headers.joined("Origin");
  const auto origin = parse_origin(text);
  const auto own = own_origin(request);
  std::string message = "pages of origin '" + text + "' may not use this server";
  if (text != "null" && (!origin || origin->host.find('*') != std::string::npos)) {
    message += ": that is no origin that a browser sends";
    return {std::move(text), std::move(message), "this is no origin"};
  }
  message += "; to allow them add \"" + text + "\" to the config key origins";
  std::string_view hint = "to allow it add it to the config key origins";
  if (origin && own && origin->host == own->host && origin->scheme != own->scheme) {
    message += ", or the proxy that ends TLS in front of this server to trusted_proxies";
    hint =
        "to allow it add it to the config key origins, or the proxy that ends TLS in front of this server to "
        "trusted_proxies";
  }
  return {std::move(text), std::move(message), hint};
}

namespace {

// In addition to the fields that all pages may send and read. Tracing libraries (W3C Trace Context and
// Baggage, OpenTelemetry, Sentry) add theirs to every request of a page.
constexpr std::string_view request_headers =
    "Content-Type, Idempotency-Key, Last-Event-ID, Authorization, traceparent, tracestate, baggage, "
    "sentry-trace";
constexpr std::string_view exposed_headers = "Roomcast-Cursor, Roomcast-Subscribers, Roomcast-Message-Bytes";
constexpr std::string_view preflight_seconds = "600";

}  // namespace

void allow_reading(http::Headers& headers, std::string_view origin, bool credentials) {
  headers.add("Access-Control-Allow-Origin", origin);
  if (credentials) headers.add("Access-Control-Allow-Credentials", "true");
  headers.add("Access-Control-Expose-Headers", exposed_headers);
}

void allow_requests(http::Headers& headers, std::string_view methods, const OriginRules& rules) {
  std::string allowed(request_headers);
  for (const std::string& name : rules.request_headers())
    allowed.append(", ").append(name);
  headers.add("Access-Control-Allow-Methods", methods);
  headers.add("Access-Control-Allow-Headers", allowed);
  headers.add("Access-Control-Max-Age", preflight_seconds);
}

bool is_preflight(const http::Request& request) {
  return request.method == http::Method::options && request.headers.count("Origin") > 0 &&
         request.headers.count("Access-Control-Request-Method") > 0;
}

}  // namespace roomcast::auth

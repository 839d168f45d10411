#include "auth/cors.h"

#include <string>

namespace roomcast::auth {

namespace {

// Beyond the ones every page may send, and read. Tracing libraries (W3C Trace Context and Baggage,
// OpenTelemetry, Sentry) add theirs to every request of a page.
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

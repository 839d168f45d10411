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

void add_cors(http::Headers& headers, const OriginDecision& decision) {
  headers.add("Vary", "Origin");
  if (decision.verdict != OriginVerdict::listed) return;
  allow_reading(headers, decision.origin, decision.credentials);
}

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

std::string list_of(const std::vector<http::Method>& methods) {
  std::string list;
  for (const auto method : methods) {
    if (!list.empty()) list += ", ";
    list += http::to_string(method);
  }
  return list;
}

http::Response answer_preflight(const OriginDecision& decision, const std::vector<http::Method>& methods,
                                const OriginRules& rules) {
  if (!decision.allowed()) return refuse_origin(decision);
  http::Response response;
  response.status = 204;
  add_cors(response.headers, decision);
  if (decision.verdict != OriginVerdict::listed) return response;
  allow_requests(response.headers, list_of(methods), rules);
  return response;
}

http::Response refuse_origin(const OriginDecision& decision) {
  http::Response response = http::Response::error(403, "origin_denied", decision.message);
  add_cors(response.headers, decision);
  return response;
}

}  // namespace roomcast::auth

#include "auth/cors.h"

#include <string>

namespace roomcast::auth {

namespace {

// Beyond the ones every page may send, and read.
constexpr std::string_view request_headers = "Content-Type, Idempotency-Key, Last-Event-ID";
constexpr std::string_view exposed_headers = "Roomcast-Cursor, Roomcast-Subscribers";
constexpr std::string_view preflight_seconds = "600";

}  // namespace

void add_cors(http::Headers& headers, const OriginDecision& decision) {
  headers.add("Vary", "Origin");
  if (decision.verdict != OriginVerdict::listed) return;
  headers.add("Access-Control-Allow-Origin", decision.origin);
  headers.add("Access-Control-Expose-Headers", exposed_headers);
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

http::Response answer_preflight(const OriginDecision& decision, const std::vector<http::Method>& methods) {
  if (!decision.allowed()) return refuse_origin(decision);
  http::Response response;
  response.status = 204;
  add_cors(response.headers, decision);
  if (decision.verdict != OriginVerdict::listed) return response;
  response.headers.add("Access-Control-Allow-Methods", list_of(methods));
  response.headers.add("Access-Control-Allow-Headers", request_headers);
  response.headers.add("Access-Control-Max-Age", preflight_seconds);
  return response;
}

http::Response refuse_origin(const OriginDecision& decision) {
  http::Response response = http::Response::error(403, "origin_denied", decision.message);
  add_cors(response.headers, decision);
  return response;
}

}  // namespace roomcast::auth

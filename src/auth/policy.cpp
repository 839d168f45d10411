#include "auth/policy.h"

#include "auth/cors.h"

namespace roomcast::auth {

std::optional<http::Problem> Policy::objection(const http::Request& request) const {
  if (hosts_.allow(request)) return std::nullopt;
  const std::string host(request.headers.get("Host").value_or(""));
  return http::Problem{421, "host_denied",
                       "this server does not answer to the host '" + host +
                           "'; to allow it add it, without a port, to the config key hosts, or the proxy in "
                           "front of this server to trusted_proxies"};
}

std::string Policy::reader_of(const http::Request& request) const {
  if (origins_.empty() || request.headers.count("Origin") == 0) return {};
  std::string origin = request.headers.joined("Origin");
  if (!origins_.allow(origin)) origin.clear();
  return origin;
}

void Policy::complete(const http::Request& request, std::string_view reader, http::Headers& headers) const {
  // Where no other origin reads anything, answers are the same for all.
  if (origins_.empty()) return;
  if (!headers.has_token("Vary", "Origin")) headers.add("Vary", "Origin");
  if (reader.empty()) return;
  if (headers.count("Access-Control-Allow-Origin") == 0)
    allow_reading(headers, reader, origins_.allow_credentials(reader));
  // For pages that require it of what they embed (COEP).
  headers.add("Cross-Origin-Resource-Policy", "cross-origin");
  if (!is_preflight(request) || headers.count("Access-Control-Allow-Methods") > 0) return;
  if (const auto allow = headers.get("Allow")) allow_requests(headers, std::string(*allow), origins_);
}

}  // namespace roomcast::auth

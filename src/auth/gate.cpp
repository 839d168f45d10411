#include "auth/gate.h"

#include <memory>
#include <string>
#include <utility>

#include "auth/origin.h"

namespace roomcast::auth {

using http::OriginVerdict;

http::RequestContext Gate::context_of(const http::Request& request) const {
  OriginDecision decision = check_origin(request, origins_);
  http::RequestContext context;
  context.origin = decision.verdict;
  context.credentials = decision.credentials;
  // If no other origin may read anything, responses are the same for all.
  context.varies_by_origin = !origins_.empty();
  if (decision.verdict == OriginVerdict::listed)
    context.reader = std::make_unique<const std::string>(std::move(decision.origin));
  return context;
}

std::optional<base::Refusal> Gate::objection(const http::Request& request) const {
  if (hosts_.allow(request)) return std::nullopt;
  const std::string host(request.headers.get("Host").value_or(""));
  return base::Refusal{base::Refusal::Code::host_denied,
                       "this server does not answer to the host '" + host +
                           "'; to allow it add it, without a port, to the config key hosts, or the proxy in "
                           "front of this server to trusted_proxies"};
}

bool Gate::admit(http::Exchange& exchange, http::Access access) {
  if (access == http::Access::open) return true;
  if (!exchange.context().is_identified) {
    if (!admit_origin(exchange)) return false;
    if (access >= http::Access::clients && !identify(exchange)) return false;
  }
  if (access == http::Access::operators && exchange.context().identity.is_anonymous()) {
    refuse(exchange, {base::Refusal::Code::unauthorized,
                      "this is for moderators and administrators: show an API key or a token"});
    return false;
  }
  return true;
}

bool Gate::identify(http::Exchange& exchange) {
  http::RequestContext& context = exchange.context();
  if (authenticator_ == nullptr) return context.is_identified = true;
  auto credentials = find_credentials(exchange.request(), context, authenticator_->names());
  if (!credentials) {
    refuse(exchange, credentials.error());
    return false;
  }
  if (auto verdict = authenticator_->identify(*credentials)) {
    if (!*verdict) {
      refuse(exchange, verdict->error());
      return false;
    }
    context.identity = std::move(**verdict);
    return context.is_identified = true;
  }
  authenticator_->identify_later(std::move(*credentials),
                                 [this, id = exchange.wait_for_gate()](const Verdict& verdict) {
                                   if (!verdict)
                                     return responses_->respond(id, http::Response::error(verdict.error()));
                                   (void)responses_->resume(id, [&verdict](http::RequestContext& waiting) {
                                     waiting.identity = *verdict;
                                     waiting.is_identified = true;
                                   });
                                 });
  return false;
}

void Gate::refuse(http::Exchange& exchange, const base::Refusal& refusal) const {
  const http::Request& request = exchange.request();
  log_.info("client refused", {{"peer", request.client.address},
                               {"path", request.path},
                               {"code", base::describe(refusal.code).name},
                               {"reason", refusal.message.view()}});
  exchange.respond(http::Response::error(refusal));
}

bool Gate::admit_origin(http::Exchange& exchange) const {
  http::RequestContext& context = exchange.context();
  context.varies_by_origin = true;
  if (context.origin != OriginVerdict::denied) return true;
  const http::Request& request = exchange.request();
  const OriginDenial denial = explain_denial(request);
  log_.warn("origin refused", {{"peer", request.client.address},
                               {"origin", denial.origin},
                               {"path", request.path},
                               {"hint", denial.hint}});
  exchange.respond(http::Response::error({base::Refusal::Code::origin_denied, denial.message}));
  return false;
}

bool Gate::answer_preflight(http::Exchange& exchange, http::Access access, std::string_view methods) const {
  const http::Request& request = exchange.request();
  if (access == http::Access::open || !is_preflight(request)) return false;
  http::RequestContext& context = exchange.context();
  context.varies_by_origin = true;
  http::Response response;
  response.status = 204;
  if (context.origin == OriginVerdict::listed) allow_requests(response.headers, methods, origins_);
  if (context.origin == OriginVerdict::denied)
    response = http::Response::error({base::Refusal::Code::origin_denied, explain_denial(request).message});
  exchange.respond(std::move(response));
  return true;
}

void Gate::complete(const http::Request& request, const http::RequestContext& context,
                    http::Headers& headers) const {
  if (!context.varies_by_origin) return;
  if (!headers.has_token("Vary", "Origin")) headers.add("Vary", "Origin");
  if (!context.reader) return;
  allow_reading(headers, *context.reader, context.credentials);
  // For pages that require this of embedded resources (COEP).
  headers.add("Cross-Origin-Resource-Policy", "cross-origin");
  if (!is_preflight(request) || headers.count("Access-Control-Allow-Methods") > 0) return;
  if (const auto allow = headers.get("Allow")) allow_requests(headers, std::string(*allow), origins_);
}

}  // namespace roomcast::auth

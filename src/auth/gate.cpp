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
  if (access == http::Access::open) return has_request_left(exchange);
  const bool is_new = !exchange.context().is_identified;
  if (is_new && !admit_origin(exchange)) return false;
  if (is_new && access >= http::Access::clients && !identify(exchange)) return false;
  if (!has_request_left(exchange)) return false;
  if (access == http::Access::operators && exchange.context().identity.is_anonymous()) {
    exchange.respond(
        http::Response::error({base::Refusal::Code::unauthorized,
                               "this is for moderators and administrators: show an API key or a token"}));
    return false;
  }
  return true;
}

bool Gate::identify(http::Exchange& exchange) {
  http::RequestContext& context = exchange.context();
  if (authenticator_ == nullptr) return context.is_identified = true;
  auto credentials = find_credentials(exchange.request(), context, authenticator_->names());
  if (!credentials) {
    exchange.respond(refusal_of(exchange.request().client.address, credentials.error()));
    return false;
  }
  if (auto verdict = authenticator_->identify(*credentials)) {
    if (!*verdict) {
      exchange.respond(refusal_of(exchange.request().client.address, verdict->error()));
      return false;
    }
    context.identity = std::move(**verdict);
    return context.is_identified = true;
  }
  authenticator_->identify_later(std::move(*credentials),
                                 [this, id = exchange.wait_for_gate(),
                                  address = exchange.request().client.address](const Verdict& verdict) {
                                   if (!verdict)
                                     return responses_->respond(id, refusal_of(address, verdict.error()));
                                   (void)responses_->resume(id, [&verdict](http::RequestContext& waiting) {
                                     waiting.identity = *verdict;
                                     waiting.is_identified = true;
                                   });
                                 });
  return false;
}

/// A client that shows nothing good spends what its address has.
http::Response Gate::refusal_of(std::string_view address, const base::Refusal& refusal) {
  if (rates_ != nullptr) {
    if (const auto too_fast = rates_->take({{}, address}, access::one_of(access::Resource::requests)))
      return http::Response::error(*too_fast);
  }
  return http::Response::error(refusal);
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

bool Gate::has_request_left(http::Exchange& exchange) {
  if (rates_ == nullptr) return true;
  const access::Spender spender{exchange.context().identity, exchange.request().client.address};
  const auto refusal = rates_->take(spender, access::one_of(access::Resource::requests));
  if (!refusal) return true;
  exchange.respond(http::Response::error(*refusal));
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

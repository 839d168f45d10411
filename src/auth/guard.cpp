#include "auth/guard.h"

#include <utility>

#include "auth/cors.h"

namespace roomcast::auth {

void OriginGuard::handle(http::Exchange& exchange, std::string_view rest) {
  const OriginDecision decision = check_origin(exchange.request(), rules_);
  if (decision.allowed()) return inner_.handle(exchange, rest);
  log_.warn("origin refused", {{"peer", exchange.request().client.address},
                               {"origin", decision.origin},
                               {"path", exchange.request().path},
                               {"hint", decision.hint}});
  exchange.respond(refuse_origin(decision));
}

void Preflight::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  const http::Request& request = exchange.request();
  if (is_preflight(request)) {
    return exchange.respond(answer_preflight(check_origin(request, rules_), methods_, rules_));
  }
  http::Response response;
  response.status = 204;
  response.headers.add("Allow", list_of(methods_) + ", OPTIONS");
  exchange.respond(std::move(response));
}

}  // namespace roomcast::auth

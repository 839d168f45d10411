#include "api/readiness.h"

#include <utility>

namespace roomcast::api {

void Readiness::add_routes(part::Routes& routes) { routes.add_health("/readyz", *this); }

void Readiness::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  http::Response response = http::Response::of(is_ready_ ? 200 : 503, "text/plain; charset=utf-8",
                                               is_ready_ ? "ready\n" : "stopping\n");
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

std::unique_ptr<part::Part> make_readiness(const part::Context& /*context*/) {
  return std::make_unique<Readiness>();
}

}  // namespace roomcast::api

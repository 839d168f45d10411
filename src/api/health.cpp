#include "api/health.h"

namespace roomcast::api {

void Health::add_routes(part::Routes& routes) { routes.add_health("/healthz", *this); }

void Health::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  http::Response response = http::Response::of(200, "text/plain; charset=utf-8", "ok\n");
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

std::unique_ptr<part::Part> make_health(const part::Context& /*context*/) {
  return std::make_unique<Health>();
}

}  // namespace roomcast::api

#include "api/readiness.h"

#include <utility>

namespace roomcast::api {

void Readiness::add_routes(part::Routes& routes) { routes.add_health("/readyz", *this); }

void Readiness::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  std::string body = is_ready_ ? "ready\n" : "stopping\n";
  if (is_ready_) {
    for (const auto& part : parts_)
      body += part->readiness();
  }
  http::Response response = http::Response::of(is_ready_ ? 200 : 503, "text/plain; charset=utf-8", body);
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

std::unique_ptr<part::Part> make_readiness(const part::Context& context) {
  return std::make_unique<Readiness>(context.parts);
}

}  // namespace roomcast::api

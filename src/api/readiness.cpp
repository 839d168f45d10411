#include "api/readiness.h"

#include <algorithm>
#include <string>
#include <utility>

namespace roomcast::api {

void Readiness::add_routes(part::Routes& routes) { routes.add_health("/readyz", *this); }

void Readiness::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  const bool is_ready = !is_stopping_ && std::all_of(parts_.begin(), parts_.end(),
                                                     [](const auto& part) { return part->is_ready(); });
  std::string body = is_ready ? "ready\n" : "not ready\n";
  if (is_stopping_) {
    body = "stopping\n";
  } else {
    for (const auto& part : parts_)
      body += part->readiness();
  }
  http::Response response = http::Response::of(is_ready ? 200 : 503, "text/plain; charset=utf-8", body);
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

std::unique_ptr<part::Part> make_readiness(const part::Context& context) {
  return std::make_unique<Readiness>(context.parts);
}

}  // namespace roomcast::api

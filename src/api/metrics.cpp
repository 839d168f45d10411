#include "api/metrics.h"

#include <utility>

#include "metrics/exposition.h"

namespace roomcast::api {

void Metrics::add_routes(part::Routes& routes) { routes.add_monitoring("/metrics", *this); }

void Metrics::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  metrics::Exposition exposition;
  for (const auto& part : parts_)
    part->collect(exposition);
  http::Response response = http::Response::of(200, metrics::exposition_content_type, exposition.text());
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

std::unique_ptr<part::Part> make_metrics(const part::Context& context) {
  return std::make_unique<Metrics>(context.parts);
}

}  // namespace roomcast::api

#include "api/metrics.h"

#include <utility>

namespace roomcast::api {

void Metrics::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  std::string text;
  source_.collect(text);
  http::Response response = http::Response::of(200, "text/plain; version=0.0.4; charset=utf-8", text);
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

}  // namespace roomcast::api

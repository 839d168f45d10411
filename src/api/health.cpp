#include "api/health.h"

namespace roomcast::api {

void Health::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  http::Response response = http::Response::of(200, "text/plain; charset=utf-8", "ok\n");
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

}  // namespace roomcast::api

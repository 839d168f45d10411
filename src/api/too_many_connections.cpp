#include "api/too_many_connections.h"

#include <utility>

namespace roomcast::api {

void TooManyConnections::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  http::Response response = http::Response::error(503, "too_many_connections",
                                                  "limits.connections has been reached: try again later");
  response.headers.add("Retry-After", "5");
  response.close = true;
  exchange.respond(std::move(response));
}

}  // namespace roomcast::api

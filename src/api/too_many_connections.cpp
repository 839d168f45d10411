#include "api/too_many_connections.h"

#include <utility>

#include "auth/origin.h"

namespace roomcast::api {

void TooManyConnections::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  http::Response response;
  if (auth::is_preflight(exchange.request())) {
    response.status = 204;
    response.headers.add("Allow", "GET, HEAD, POST, OPTIONS");
  } else {
    response =
        cap_ == Cap::connections
            ? http::Response::error({base::Refusal::Code::too_many_connections,
                                     "limits.connections has been reached: try again later"})
            : http::Response::error({base::Refusal::Code::too_many_of_address,
                                     "limits.connections_per_address has been reached, or another limit per "
                                     "address (limits.handshakes_per_address, "
                                     "rates.address_connects_per_second): try again later"});
  }
  response.close = true;
  exchange.respond(std::move(response));
}

}  // namespace roomcast::api

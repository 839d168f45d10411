#pragma once

#include <string_view>

#include "http/exchange.h"

namespace roomcast::api {

/// What everything but the operational endpoints is answered on a connection of the reserve: 503
/// too_many_connections, and the end of the connection.
class TooManyConnections final : public http::Handler {
 public:
  void handle(http::Exchange& exchange, std::string_view rest) override;
};

}  // namespace roomcast::api

#pragma once

#include <cstdint>
#include <string_view>

#include "http/exchange.h"

namespace roomcast::api {

/// What is answered on a connection past a cap: too_many_connections, and the end of the connection. A
/// preflight passes, or the page could not read the answer to the request that it asks for.
class TooManyConnections final : public http::Handler {
 public:
  enum class Cap : std::uint8_t {
    connections,  ///< limits.connections: 503
    per_address,  ///< limits of connections and connects per address: 429
  };
  explicit TooManyConnections(Cap cap) : cap_(cap) {}

  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  Cap cap_;
};

}  // namespace roomcast::api

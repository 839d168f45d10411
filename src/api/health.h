#pragma once

#include <string_view>

#include "http/exchange.h"

namespace roomcast::api {

/// `GET /healthz`: 200 as long as the loop turns.
class Health final : public http::Handler {
 public:
  void handle(http::Exchange& exchange, std::string_view rest) override;
};

}  // namespace roomcast::api

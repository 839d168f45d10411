#pragma once

#include <memory>
#include <string_view>

#include "http/exchange.h"
#include "part/context.h"

namespace roomcast::api {

/// `GET /healthz`: 200 as long as the loop turns.
class Health final : public http::Handler, public part::Part {
 public:
  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view rest) override;
};

[[nodiscard]] std::unique_ptr<part::Part> make_health(const part::Context& context);

}  // namespace roomcast::api

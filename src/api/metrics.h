#pragma once

#include <memory>
#include <string_view>

#include "http/exchange.h"
#include "part/context.h"

namespace roomcast::api {

/// `GET /metrics`: the metrics of all parts in the Prometheus text exposition format 0.0.4.
class Metrics final : public http::Handler, public part::Part {
 public:
  /// `parts` outlives the handler, and is read anew for each request.
  explicit Metrics(const part::Parts& parts) : parts_(parts) {}
  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  const part::Parts& parts_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_metrics(const part::Context& context);

}  // namespace roomcast::api

#pragma once

#include <memory>
#include <string_view>

#include "http/exchange.h"
#include "part/context.h"

namespace roomcast::api {

/// `GET /readyz`: 200 while the server takes long-lived clients; 503 from the moment it is asked to stop,
/// also while it still serves requests (drain_delay_seconds), and while a part is not ready. For load
/// balancers; /healthz says whether the process works. The body says "ready", "not ready" or "stopping", and
/// what parts add to it.
class Readiness final : public http::Handler, public part::Part {
 public:
  /// `parts` outlives it.
  explicit Readiness(const part::Parts& parts) : parts_(parts) {}

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view rest) override;
  void on_stopping() override { is_stopping_ = true; }

 private:
  const part::Parts& parts_;
  bool is_stopping_ = false;
};

[[nodiscard]] std::unique_ptr<part::Part> make_readiness(const part::Context& context);

}  // namespace roomcast::api

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "access/control.h"
#include "access/identity.h"
#include "http/exchange.h"
#include "part/context.h"

namespace roomcast::api {

/// `POST /api/explain` with `{"user","room","roles"?}`: what that user, key or anonymous client may do in the
/// room, and which row of `access` decides it. For who may moderate the room, or administer the server.
class Explain final : public http::Handler, public part::Part {
 public:
  /// `access` outlives the handler.
  explicit Explain(const access::Control& access) : access_(access) {}

  void add_routes(part::Routes& routes) override;
  void apply(const config::Config& config) override;
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  [[nodiscard]] http::Response answer(http::Exchange& exchange) const;

  const access::Control& access_;
  std::vector<access::Profile> keys_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_explain(const part::Context& context);

}  // namespace roomcast::api

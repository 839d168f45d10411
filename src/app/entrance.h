#pragma once

#include <utility>

#include "api/too_many_connections.h"
#include "auth/gate.h"
#include "auth/hosts.h"
#include "auth/origin.h"
#include "base/log.h"
#include "config/config.h"
#include "http/router.h"
#include "http/server.h"
#include "part/routes.h"

namespace roomcast::app {

/// The gate and the routers behind it, through which requests reach the handlers of parts.
class Entrance {
 public:
  /// `log` outlives it.
  explicit Entrance(base::Log& log) : gate_(hosts_, origins_, log), operations_gate_(hosts_, origins_, log) {
    router_.set_gate(gate_);
    operations_.set_gate(operations_gate_);
    reserve_.set_fallback(too_many_connections_);
  }
  Entrance(const Entrance&) = delete;
  Entrance& operator=(const Entrance&) = delete;

  /// See auth::Gate.
  void set_authenticator(auth::Authenticator& authenticator, http::DeferredResponses& responses) {
    gate_.set_authenticator(authenticator, responses);
    operations_gate_.set_authenticator(authenticator, responses);
  }
  [[nodiscard]] auth::Gate& gate() { return gate_; }
  [[nodiscard]] http::Router& router() { return router_; }
  /// `confined`: see part::Routes.
  [[nodiscard]] part::Routes routes(bool confined) { return {router_, operations_, reserve_, confined}; }
  /// Makes `server` use all of it. The server must not be used once this has been destroyed.
  void attach(http::Server& server) {
    server.set_operations(operations_);
    server.set_reserve(reserve_);
    server.set_refusals(too_many_of_address_);
    server.set_gate(gate_);
  }
  /// `hosts`, `origins` and `cors`.
  void apply(const config::Config& config) {
    if (auto rules = auth::OriginRules::parse(config.origins)) origins_ = std::move(*rules);
    origins_.set_cors(config.cors.credentials, config.cors.headers);
    if (auto rules = auth::HostRules::parse(config.hosts)) hosts_ = std::move(*rules);
  }

 private:
  auth::OriginRules origins_;
  auth::HostRules hosts_;
  auth::Gate gate_;
  auth::Gate operations_gate_;  // the same for admin listeners, whose requests are not limited
  http::Router router_;
  http::Router operations_;
  http::Router reserve_;
  api::TooManyConnections too_many_connections_{api::TooManyConnections::Cap::connections};
  api::TooManyConnections too_many_of_address_{api::TooManyConnections::Cap::per_address};
};

}  // namespace roomcast::app

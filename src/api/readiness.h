#pragma once

#include <string_view>

#include "http/exchange.h"

namespace roomcast::api {

/// `GET /readyz`: 200 while the server takes clients that come to stay; 503 from the moment it is told to
/// stop, also while it serves everybody on (drain_delay_seconds). For load balancers; whether the process is
/// well is for /healthz to say.
class Readiness final : public http::Handler {
 public:
  void handle(http::Exchange& exchange, std::string_view rest) override;
  /// From now on it is 503.
  void end() { is_ready_ = false; }

 private:
  bool is_ready_ = true;
};

}  // namespace roomcast::api

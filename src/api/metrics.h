#pragma once

#include <string>
#include <string_view>

#include "http/exchange.h"

namespace roomcast::api {

/// Whoever can see all the counters.
class MetricsSource {
 public:
  /// Appends all metrics in the Prometheus text format.
  virtual void collect(std::string& out) = 0;

 protected:
  ~MetricsSource() = default;
};

/// `GET /metrics`: Prometheus text exposition format 0.0.4.
class Metrics final : public http::Handler {
 public:
  explicit Metrics(MetricsSource& source) : source_(source) {}
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  MetricsSource& source_;
};

}  // namespace roomcast::api

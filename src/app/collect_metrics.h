#pragma once

#include <cstdint>
#include <string>

#include "api/metrics.h"
#include "app/certificate_watch.h"
#include "app/memory_guard.h"
#include "base/log.h"
#include "http/server.h"
#include "hub/hub.h"
#include "hub/idempotent_publisher.h"
#include "loop/turn.h"
#include "net/admission.h"
#include "net/linger.h"
#include "net/listener.h"
#include "net/tls_shared.h"
#include "session/session_table.h"
#include "transport/http_stream.h"
#include "transport/polls.h"
#include "transport/websocket.h"

namespace roomcast::app {

/// How reloads have gone.
struct ReloadStats {
  std::uint64_t succeeded = 0;
  std::uint64_t refused = 0;
  bool last_succeeded = true;  ///< also before the first one: the start has
};

/// Where the counters are. Everything outlives it.
struct MetricsParts {
  const loop::Turn& turn;
  const net::AdmissionControl& admissions;
  const net::ListenerStats& listeners;
  const net::TlsStats& tls;
  const net::Linger& linger;
  const http::Server& http;
  const hub::Hub& hub;
  const hub::IdempotentPublisher& publisher;
  session::SessionTable& sessions;
  const transport::WebSocketShared& websockets;
  const transport::HttpStreamShared& streams;
  const transport::Polls& polls;
  const MemoryGuard& memory;
  const base::Log& log;
  const ReloadStats& reloads;
  const CertificateWatch& certificates;
};

/// Puts the counters of all parts under their names for Prometheus.
class CollectMetrics final : public api::MetricsSource {
 public:
  explicit CollectMetrics(const MetricsParts& parts) : parts_(parts) {}
  void collect(std::string& out) override;

 private:
  MetricsParts parts_;
};

}  // namespace roomcast::app

#pragma once

#include <cstdint>
#include <memory>

#include "access/control.h"
#include "app/certificate_watch.h"
#include "app/dialects.h"
#include "app/entrance.h"
#include "app/memory_guard.h"
#include "app/memory_limit.h"
#include "app/storage.h"
#include "auth/accounts.h"
#include "auth/authenticator.h"
#include "base/log.h"
#include "fetch/client.h"
#include "http/server.h"
#include "hub/hub.h"
#include "hub/idempotent_publisher.h"
#include "loop/turn.h"
#include "net/admission.h"
#include "net/cidr.h"
#include "net/linger.h"
#include "net/listener.h"
#include "net/proxy_preambles.h"
#include "net/tls_shared.h"
#include "part/part.h"
#include "service/rooms.h"
#include "session/session_table.h"

namespace roomcast::app {

/// The outcomes of reloads.
struct ReloadStats {
  std::uint64_t succeeded = 0;
  std::uint64_t refused = 0;
  bool last_succeeded = true;  ///< also before the first one
};

/// The components that endpoints and transports use, and the server's own. Everything outlives the parts.
struct Core {
  const loop::Turn& turn;
  base::Log& log;
  net::AdmissionControl& admissions;
  const net::ListenerStats& listeners;
  net::CidrList& trusted_proxies;
  net::ProxyPreambles& preambles;
  net::TlsShared& tls;
  const net::Linger& linger;
  http::Server& http;
  Storage& storage;
  hub::Hub& hub;
  hub::IdempotentPublisher& publisher;
  access::Control& access;
  auth::Accounts& accounts;
  const fetch::Client& fetch;
  auth::Authenticator& authenticator;
  service::Rooms& rooms;
  session::SessionTable& sessions;
  Entrance& entrance;
  Dialects& dialects;
  MemoryGuard& memory_guard;
  const ReloadStats& reloads;
  const CertificateWatch& certificates;
  const MemoryCeiling& memory_ceiling;
  std::uint64_t descriptors = 0;  ///< RLIMIT_NOFILE
};

// What these components have of a part: settings, metrics, and what there is to drain. The order of the
// metrics of /metrics is that of the list in app/parts.cpp.

[[nodiscard]] std::unique_ptr<part::Part> make_access(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_connections(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_identity(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_sessions(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_rooms(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_accounts(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_closing(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_messages(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_http(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_tls(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_process(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_store(const Core& core);
[[nodiscard]] std::unique_ptr<part::Part> make_redis(const Core& core);

}  // namespace roomcast::app

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/control.h"
#include "app/allocator.h"
#include "app/certificate_watch.h"
#include "app/core_parts.h"
#include "app/dialects.h"
#include "app/drain.h"
#include "app/entrance.h"
#include "app/kept_sanctions.h"
#include "app/listeners.h"
#include "app/memory_guard.h"
#include "app/memory_limit.h"
#include "app/reload_pace.h"
#include "app/room_command_bus.h"
#include "app/service_manager.h"
#include "app/shared_sanctions.h"
#include "app/storage.h"
#include "auth/accounts.h"
#include "auth/authenticator.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time_budget.h"
#include "config/load.h"
#include "fetch/client.h"
#include "http/server.h"
#include "hub/hub.h"
#include "hub/idempotent_publisher.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/turn.h"
#include "net/admission.h"
#include "net/cidr.h"
#include "net/linger.h"
#include "net/listener.h"
#include "net/proxy_preambles.h"
#include "net/socket_stream.h"
#include "part/part.h"
#include "session/session_table.h"

namespace roomcast::app {

/// The version of the CMake project.
inline constexpr std::string_view version = ROOMCAST_VERSION;

/// The server: builds the components and parts, hands each what it needs, and takes them down in reverse.
class Server final : private net::ListenerEvents,
                     private loop::Signal::Listener,
                     private ReloadPace::Listener,
                     private loop::Timer::Listener {
 public:
  /// `sources`: what `loaded` was made from, for reloading.
  Server(config::Sources sources, config::Loaded loaded);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Opens the listeners and serves until a signal ends it. An error means that it could not start.
  [[nodiscard]] std::optional<base::Error> run(const std::vector<InheritedSocket>& inherited);

 private:
  void on_connection(std::unique_ptr<net::ByteStream> stream, net::Peer peer,
                     net::Admission admission) override;
  [[nodiscard]] bool may_connect(std::string_view address) override;
  void on_signal(int number) override;
  void on_timer(loop::Timer& timer) override;
  void on_reload_due() override;

  void make_parts();
  /// Has all parts read the files that `config` names.
  [[nodiscard]] std::optional<base::Error> load_parts(const config::Config& config);
  /// Brings all parts in line with `config`; everything in it has been checked.
  void apply(const config::Config& config);
  [[nodiscard]] std::optional<base::Error> take_over(const config::Loaded& loaded);
  [[nodiscard]] bool reload();
  void begin_drain();
  void announce_readiness();
  /// Logs a hint about variables of the environment that were ignored.
  void log_sources(const config::Loaded& loaded);
  /// Schedules the notices that the service manager had no room for.
  void send_notices_later();
  void watch_certificates(const std::shared_ptr<const net::TlsContext>& certificates);
  /// Logs the limits of memory and connections, and warns where the system allows less than is configured.
  void log_limits();

  config::Sources sources_;
  config::Config config_;
  base::Log log_;
  ServiceManager service_manager_;
  EmergencyReserve emergency_reserve_;
  const MemoryCeiling memory_ceiling_;
  const std::uint64_t descriptors_;

  // In the order of their dependencies: each may keep references to those above it.
  loop::Loop loop_;
  loop::Turn turn_;
  base::Deadlines deadlines_;
  base::TimeBudget compressing_;
  loop::Sweep sweep_;
  net::SocketShared sockets_;
  net::CidrList trusted_proxies_;
  net::AdmissionControl admissions_;
  net::ListenerStats listener_stats_;
  net::Linger linger_;
  net::TlsShared tls_;
  Storage storage_;
  hub::Hub hub_;
  hub::IdempotentPublisher publisher_;
  access::Control access_;
  std::optional<KeptSanctions> kept_sanctions_;  // where there is a store
  // Where servers share their rooms.
  std::optional<SharedSanctions> shared_sanctions_;
  std::optional<RoomCommandBus> commands_;
  auth::Accounts accounts_;
  fetch::Client fetch_;
  auth::Authenticator authenticator_;
  service::Rooms rooms_;
  session::SessionTable sessions_;
  net::ProxyPreambles preambles_;
  Dialects dialects_;
  Entrance entrance_;
  http::Server http_;
  part::Parts parts_;
  part::RoomTransports transports_;
  MemoryGuard memory_guard_;
  ReloadStats reloads_;
  CertificateWatch certificates_;
  Listeners listeners_;
  Drain drain_;
  ReloadPace reload_pace_;
  loop::Signal on_terminate_;
  loop::Signal on_interrupt_;
  loop::Signal on_hang_up_;
  loop::Signal on_user_1_;
  loop::Signal on_user_2_;
  loop::Timer watchdog_;
  loop::Timer notices_;
  loop::Timer drain_delay_;
  std::optional<std::int64_t> stop_asked_ms_;  // when the first signal to stop came
};

}  // namespace roomcast::app

#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "app/parts.h"
#include "base/log.h"
#include "dialect/raw.h"
#include "http/server.h"
#include "hub/hub.h"
#include "loop/handles.h"
#include "net/linger.h"
#include "net/socket_stream.h"
#include "part/settings.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/loop_fixture.h"

namespace roomcast::test {

/// All parts of the server on a real loop, with clients whose wires are strings.
struct ServerParts : LoopFixture {
  using Wire = FakeTransport::Wire;

  ServerParts() {
    turn.add_work(hub);
    app::make_parts(core, context, parts);
    part::Routes routes = entrance.routes(false);
    for (const auto& part : parts) {
      part->add_routes(routes);
      part->add_transports(transports);
      part->apply(config);
    }
  }
  ServerParts(const ServerParts&) = delete;
  ServerParts& operator=(const ServerParts&) = delete;
  ~ServerParts() {
    // The clients that are left end while everything that they refer to still exists.
    for (const auto& part : parts)
      part->abort_all();
    loop.run_turn_without_waiting();
  }

  Wire& join(std::string_view room) {
    Wire& wire = wires.emplace_back();
    sessions.open(std::make_unique<FakeTransport>(wire, framing), dialect, {room, "", true});
    return wire;
  }
  void join_many(int count) {
    for (int i = 0; i < count; ++i)
      join("lobby");
  }
  /// The parts of one class, in the order of the list.
  template <class Type>
  std::vector<Type*> parts_of_class() {
    std::vector<Type*> found;
    for (const auto& part : parts) {
      if (auto* const one = dynamic_cast<Type*>(part.get())) found.push_back(one);
    }
    return found;
  }
  /// Clients that have been asked to close.
  [[nodiscard]] int closed_clients() const {
    int count = 0;
    for (const Wire& wire : wires)
      count += wire.closes.empty() ? 0 : 1;
    return count;
  }
  /// Runs the loop until it is stopped; false if that takes too long.
  bool run() {
    struct Stop final : loop::Timer::Listener {
      explicit Stop(loop::Loop& l) : stopped(l) {}
      void on_timer(loop::Timer& /*limit*/) override { stopped.stop(); }
      loop::Loop& stopped;
    } stop(loop);
    loop::Timer limit(loop, stop);
    limit.start_once(20'000);
    loop.run();
    return limit.is_active();
  }

  [[nodiscard]] static config::Config quiet() {
    config::Config config;
    config.log.level = base::LogLevel::error;
    return config;
  }

  std::deque<Wire> wires;
  BracketFraming framing;
  dialect::Raw dialect;
  const config::Config config = quiet();
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  base::TimeBudget compressing{loop, 5'000};
  net::SocketShared sockets{loop};
  net::CidrList trusted_proxies;
  net::AdmissionControl admissions{{100, 100}};
  net::ListenerStats listeners;
  net::Linger linger{turn, deadlines, {}};
  net::TlsShared tls{turn, deadlines};
  app::Storage storage{{loop, turn, deadlines, sockets, tls, log}, config};
  hub::Hub hub{{storage.engine(), turn, loop, deadlines}, part::hub_limits(config), part::room_rules(config)};
  hub::IdempotentPublisher publisher{hub, turn, loop, deadlines, 100'000};
  access::Control access;
  auth::Accounts accounts{loop, log};
  fetch::Client fetch{loop, sockets.poller, deadlines, turn, {}};
  auth::Authenticator authenticator{{access, loop, turn, log, {}}};
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable sessions{service, turn, loop, log, deadlines, part::session_settings({})};
  net::ProxyPreambles preambles{sockets.poller, turn, deadlines, log, 10'000};
  app::Dialects dialects;
  app::Entrance entrance{log};
  http::Server http{entrance.router(),
                    loop,
                    deadlines,
                    turn,
                    log,
                    part::parser_limits(config),
                    part::connection_settings(config)};
  part::Parts parts;
  part::RoomTransports transports;
  app::MemoryGuard guard{{loop, hub, admissions, log, parts}};
  app::ReloadStats reloads;
  app::CertificateWatch certificates{loop, log};
  const app::MemoryCeiling ceiling{std::uint64_t{1} << 32U, "test"};
  const app::Core core{turn,    log,           admissions, listeners, trusted_proxies, preambles, tls,
                       linger,  http,          storage,    hub,       publisher,       access,    accounts,
                       fetch,   authenticator, service,    sessions,  entrance,        dialects,  guard,
                       reloads, certificates,  ceiling,    1'000'000};
  const part::Context context{
      config, "1.2.3", loop,     turn,    deadlines, compressing,        log,        linger,
      http,   access,  accounts, service, sessions,  dialects.offered(), transports, parts};
};

}  // namespace roomcast::test

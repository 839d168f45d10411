#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "net/admission.h"
#include "net/byte_stream.h"

namespace roomcast::http {

/// Owns every HTTP connection, from accept to its end or hand-over.
class Server final : public Connections, private ConnectionOwner {
 public:
  /// Everything handed in must outlive the server. `handler` gets every request, with an empty rest.
  Server(Handler& handler, const base::Clock& clock, base::Deadlines& deadlines, base::Scheduler& scheduler,
         base::Log& log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  /// Settings that may change while running count from the next request on.
  void set_limits(const ParserLimits& limits) { environment_.limits = limits; }
  void set_settings(const ConnectionSettings& settings) { environment_.settings = settings; }
  /// Who handles requests over admin listeners, and those that come where limits.connections is used up, in
  /// place of the server's own handler. They outlive the server.
  void set_operations(Handler& handler) { environment_.operations = &handler; }
  void set_reserve(Handler& handler) { environment_.reserve = &handler; }
  /// The same for connections over limits.connections_per_address.
  void set_refusals(Handler& handler) { environment_.refusals = &handler; }
  void set_refusal_form(RefusalForm form) { environment_.refusal_form = form; }
  /// Which peers are believed about X-Forwarded-For and X-Forwarded-Proto; none until set.
  void set_trusted_proxy(TrustedProxy is_trusted) { environment_.trusted_proxy = std::move(is_trusted); }

  /// What stands in front of all handlers; outlives the server.
  void set_gate(const Gate& gate) { environment_.gate = &gate; }

  /// Serves `stream`, which nobody listens to yet. Without an address in `peer` it is that of the admission.
  void accept(std::unique_ptr<net::ByteStream> stream, net::Admission admission, const net::Peer& peer = {});
  void respond(base::SlotId id, Response response) override;
  [[nodiscard]] std::optional<HandOver> take_over(base::SlotId id, std::string_view head) override;

  /// Idle connections close at once, the others behind the answer they wait for. For good.
  void drain();

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] const HttpStats& stats() const { return environment_.stats; }

 private:
  void on_ended(base::SlotId id) override;
  [[nodiscard]] base::SlotId defer_answer(Connection& connection, ClientWatch* watch,
                                          base::SlotId waiter) override;
  void forget_answer(base::SlotId exchange) override;

  struct Deferred {
    Connection* connection = nullptr;
    ClientWatch* watch = nullptr;
    base::SlotId waiter{};
  };

  ConnectionEnvironment environment_;
  base::SlotMap<Deferred> exchanges_;  // the deferred ones; each id answers once
  base::SlotMap<std::unique_ptr<Connection>> connections_;
};

}  // namespace roomcast::http

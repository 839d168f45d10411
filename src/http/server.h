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

/// Owns all HTTP connections, from accept to their end or hand-over.
class Server final : public DeferredResponses, private ConnectionOwner {
 public:
  /// All arguments but the limits and settings must outlive the server. `handler` gets all requests, with an
  /// empty rest.
  Server(Handler& handler, const base::Clock& clock, base::Deadlines& deadlines, base::Scheduler& scheduler,
         base::Log& log, const ParserLimits& limits, const ConnectionSettings& settings);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  /// Settings that may change at run time; they apply from the next request on.
  void set_limits(const ParserLimits& limits) { environment_.limits = limits; }
  void set_settings(const ConnectionSettings& settings) { environment_.settings = settings; }
  /// The handlers for admin listeners, and for connections beyond limits.connections, instead of the common
  /// handler. They outlive the server.
  void set_operations(Handler& handler) { environment_.operations = &handler; }
  void set_reserve(Handler& handler) { environment_.reserve = &handler; }
  /// The handler for connections beyond a limit per address.
  void set_refusals(Handler& handler) { environment_.refusals = &handler; }
  void set_refusal_form(RefusalForm form) { environment_.refusal_form = std::move(form); }
  /// The proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted; none until set.
  void set_trusted_proxy(TrustedProxy is_trusted) { environment_.trusted_proxy = std::move(is_trusted); }

  /// Counts the refusals; outlives the server.
  void set_refusal_tally(base::RefusalTally& refused) { environment_.refused = &refused; }

  /// The gate in front of all handlers; outlives the server.
  void set_gate(Gate& gate) { environment_.gate = &gate; }

  /// Serves `stream`, whose events are not set yet. If `peer` has no address, that of the admission is used.
  void accept(std::unique_ptr<net::ByteStream> stream, net::Admission admission, const net::Peer& peer = {});
  [[nodiscard]] std::string_view client_address(base::SlotId id) override;
  void respond(base::SlotId id, Response response) override;
  bool resume(base::SlotId id, const std::function<void(RequestContext&)>& change) override;
  [[nodiscard]] std::optional<HandOver> take_over(base::SlotId id, std::string_view head) override;

  /// Closes idle connections immediately and the others after their response. Permanent.
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
  base::SlotMap<Deferred> exchanges_;  // the deferred ones; each id resolves once
  base::SlotMap<std::unique_ptr<Connection>> connections_;
};

}  // namespace roomcast::http

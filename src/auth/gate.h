#pragma once

#include <optional>
#include <string_view>

#include "access/rates.h"
#include "auth/authenticator.h"
#include "auth/hosts.h"
#include "auth/origin.h"
#include "base/log.h"
#include "http/gate.h"

namespace roomcast::auth {

/// Applies `hosts` and `origins` to all requests: refuses other hosts (421, RFC 9110 section 15.5.20) and, on
/// routes that require it, pages of origins that are not listed (403); answers the preflights of such routes;
/// and lets pages of listed origins read every response. The log line of a refusal names the entry to add.
///
/// On routes that are not open it also finds out who the client is, before any handler: what a request shows
/// and cannot be verified is refused (401), never taken for an anonymous client.
///
/// Counts requests against `rates`, by user or address: those that the routers have no route for as well, but
/// for preflights.
class Gate final : public http::Gate {
 public:
  /// All arguments outlive the gate; the rules are evaluated for each request, so that they may change.
  Gate(const HostRules& hosts, const OriginRules& origins, base::Log& log)
      : hosts_(hosts), origins_(origins), log_(log) {}

  /// Who clients are; without it all are anonymous. Both outlive the gate.
  void set_authenticator(Authenticator& authenticator, http::DeferredResponses& responses) {
    authenticator_ = &authenticator;
    responses_ = &responses;
  }
  /// Limits requests; outlives the gate. Without it there is no limit.
  void set_rates(access::Rates& rates) { rates_ = &rates; }

  [[nodiscard]] http::RequestContext context_of(const http::Request& request) const override;
  [[nodiscard]] std::optional<base::Refusal> objection(const http::Request& request) const override;
  [[nodiscard]] bool admit(http::Exchange& exchange, http::Access access) override;
  [[nodiscard]] bool answer_preflight(http::Exchange& exchange, http::Access access,
                                      std::string_view methods) const override;
  [[nodiscard]] bool has_readers() const override { return !origins_.empty(); }
  void complete(const http::Request& request, const http::RequestContext& context,
                http::Headers& headers) const override;

 private:
  /// Whether the origin of the page may use the route. If not, the request has been answered.
  [[nodiscard]] bool admit_origin(http::Exchange& exchange) const;
  /// Whether it is known who the client is. If not, the request has been answered, or waits.
  [[nodiscard]] bool identify(http::Exchange& exchange);
  [[nodiscard]] http::Response refusal_of(std::string_view address, const base::Refusal& refusal);
  /// Whether the client, as far as it is known, may make another request now. If not, it has been answered.
  [[nodiscard]] bool has_request_left(http::Exchange& exchange);

  const HostRules& hosts_;
  const OriginRules& origins_;
  base::Log& log_;
  Authenticator* authenticator_ = nullptr;
  http::DeferredResponses* responses_ = nullptr;
  access::Rates* rates_ = nullptr;
};

}  // namespace roomcast::auth

#pragma once

#include <optional>
#include <string_view>

#include "base/refusal.h"
#include "http/exchange.h"
#include "http/message.h"

namespace roomcast::http {

/// Runs before all handlers: makes the decisions that do not depend on the handler once per request, and
/// completes every response.
class Gate {
 public:
  /// The context to be kept until the response. The request may be incomplete, and its client unknown, if it
  /// is refused for its form.
  [[nodiscard]] virtual RequestContext context_of(const Request& request) const = 0;
  /// The reason to refuse `request`, whose client is known, before any handler; nothing if there is none.
  [[nodiscard]] virtual std::optional<base::Refusal> objection(const Request& request) const = 0;
  /// Whether the handler of a route with that `access` may run. If not, the request has been answered, or the
  /// exchange waits for the gate (Exchange::wait_for_gate).
  [[nodiscard]] virtual bool admit(Exchange& exchange, Access access) = 0;
  /// Answers an OPTIONS request if it is a CORS preflight that concerns the gate. `access` is the strictest
  /// of the routes of the path, `methods` the list of their methods without OPTIONS.
  [[nodiscard]] virtual bool answer_preflight(Exchange& exchange, Access access,
                                              std::string_view methods) const = 0;
  /// Whether pages of any other origin may read responses.
  [[nodiscard]] virtual bool has_readers() const = 0;
  /// Adds the CORS fields to `headers` of the response to `request`, of which only the method and the
  /// remaining header fields count.
  virtual void complete(const Request& request, const RequestContext& context, Headers& headers) const = 0;

 protected:
  ~Gate() = default;
};

}  // namespace roomcast::http

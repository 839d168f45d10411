#pragma once

#include <optional>
#include <string_view>

#include "base/refusal.h"
#include "http/exchange.h"
#include "http/message.h"

namespace roomcast::http {

/// Stands in front of all handlers: decides about every request once, whoever handles it, and completes every
/// answer.
class Gate {
 public:
  /// What is to be kept of `request` until its answer. The request need not be whole, nor its client known,
  /// where it is refused for its form.
  [[nodiscard]] virtual RequestContext context_of(const Request& request) const = 0;
  /// Why no handler may see `request`, whose client is known; nothing if there is no reason.
  [[nodiscard]] virtual std::optional<base::Refusal> objection(const Request& request) const = 0;
  /// Whether the handler of a route with that `access` may see the request. If not, it has been answered.
  [[nodiscard]] virtual bool admit(Exchange& exchange, Access access) const = 0;
  /// Answers `OPTIONS` if it is a CORS preflight that concerns the gate. `access` is the strictest of the
  /// path's routes, and `methods` the list of what the path answers, without OPTIONS.
  [[nodiscard]] virtual bool answer_preflight(Exchange& exchange, Access access,
                                              std::string_view methods) const = 0;
  /// Whether there is any other origin whose pages may read answers.
  [[nodiscard]] virtual bool has_readers() const = 0;
  /// Adds to `headers`, of the answer to `request`, which pages may read it. Of the request only the method
  /// and what is still there of its fields counts.
  virtual void complete(const Request& request, const RequestContext& context, Headers& headers) const = 0;

 protected:
  ~Gate() = default;
};

}  // namespace roomcast::http

#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "auth/origin.h"
#include "base/log.h"
#include "http/exchange.h"

namespace roomcast::auth {

/// Stands before a handler and refuses pages of other origins (403) before it sees them. The log line of a
/// refusal names the origin to add.
class OriginGuard final : public http::Handler {
 public:
  /// All outlive the guard; `rules` are read anew for each request.
  OriginGuard(const OriginRules& rules, http::Handler& inner, base::Log& log)
      : rules_(rules), inner_(inner), log_(log) {}

  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  const OriginRules& rules_;
  http::Handler& inner_;
  base::Log& log_;
};

/// `OPTIONS` where pages of other origins may do more than follow a link: answers CORS preflights, and
/// everybody else with Allow.
class Preflight final : public http::Handler {
 public:
  /// `rules` outlive the handler and are read anew for each request; `methods`: what else the path answers.
  Preflight(const OriginRules& rules, std::vector<http::Method> methods)
      : rules_(rules), methods_(std::move(methods)) {}
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  const OriginRules& rules_;
  std::vector<http::Method> methods_;
};

}  // namespace roomcast::auth

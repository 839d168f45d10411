#pragma once

#include <string_view>

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

/// `OPTIONS` where pages of other origins may POST: answers CORS preflights.
class PostPreflight final : public http::Handler {
 public:
  explicit PostPreflight(const OriginRules& rules) : rules_(rules) {}
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  const OriginRules& rules_;
};

}  // namespace roomcast::auth

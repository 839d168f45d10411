#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "http/gate.h"

namespace roomcast::http {

/// The table of (methods, pattern), who may use them and who handles them.
///
/// A pattern is a fixed path ("/healthz") or ends in a name in braces that matches all the rest, '/' included
/// and possibly nothing ("/rooms/{room}"). A fixed path goes before a pattern with a rest, the longer before
/// the shorter. The fixed part is compared with the path as it was sent; the rest is percent-decoded once.
/// HEAD is answered where GET is, and OPTIONS with Allow, unless they are in the table themselves.
class Router final : public Handler {
 public:
  /// What stands before all routes; outlives the router.
  void set_gate(const Gate& gate) { gate_ = &gate; }
  /// `handler` must outlive the router. A route that is not open needs a gate, set before
  /// (std::logic_error).
  void add(std::initializer_list<Method> methods, std::string_view pattern, Access access, Handler& handler);
  /// Gets what no pattern matches, whatever the method, with the whole decoded path as rest.
  void set_fallback(Handler& handler) { fallback_ = &handler; }

  void handle(Exchange& exchange, std::string_view rest) override;

 private:
  struct Entry {
    Method method = Method::other;
    Access access = Access::open;
    Handler* handler = nullptr;
  };
  struct Route {
    std::string literal;  // up to the brace
    bool has_rest = false;
    std::vector<Entry> entries;
  };

  [[nodiscard]] const Route* find(std::string_view path) const;
  static const Entry* entry_for(const Route& route, Method method);
  /// All that the path answers, as a list, but for OPTIONS.
  [[nodiscard]] static std::string methods_of(const Route& route);
  /// OPTIONS of a path that does not handle it itself.
  void answer_options(Exchange& exchange, const Route& route) const;
  [[nodiscard]] std::string allowed_anywhere() const;

  std::vector<Route> routes_;
  Handler* fallback_ = nullptr;
  const Gate* gate_ = nullptr;  // null: all routes are open
};

}  // namespace roomcast::http

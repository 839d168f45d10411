#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "http/gate.h"

namespace roomcast::http {

/// The table of routes: methods, pattern, access, handler.
///
/// A pattern is a fixed path ("/healthz") or ends in a name in braces, which matches the rest, including '/'
/// and possibly empty ("/rooms/{room}"). Fixed paths precede patterns with a rest, longer ones shorter ones.
/// The fixed part is compared with the path as received; the rest is percent-decoded once. HEAD is answered
/// if GET is, and OPTIONS with Allow, unless the table contains them.
class Router final : public Handler {
 public:
  /// The gate in front of all routes; outlives the router. It is asked about every request but those that
  /// answer_options answers: for those that reach no route, as if about an open one.
  void set_gate(Gate& gate) { gate_ = &gate; }
  /// `handler` must outlive the router. Routes that are not open need a gate, which must be set before
  /// (std::logic_error).
  void add(std::initializer_list<Method> methods, std::string_view pattern, Access access, Handler& handler);
  /// Handles all requests that no pattern matches, with any method, and the complete decoded path as rest.
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
  /// The methods of the path as a list, without OPTIONS.
  [[nodiscard]] static std::string methods_of(const Route& route);
  /// Answers OPTIONS for a path that has no handler for it.
  void answer_options(Exchange& exchange, const Route& route) const;
  [[nodiscard]] std::string allowed_anywhere() const;

  std::vector<Route> routes_;
  Handler* fallback_ = nullptr;
  Gate* gate_ = nullptr;  // null: all routes are open
};

}  // namespace roomcast::http

#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/exchange.h"

namespace roomcast::http {

/// The table of (methods, pattern) and who handles them.
///
/// A pattern is a fixed path ("/healthz") or ends in a name in braces that matches all the rest, '/' included
/// and possibly nothing ("/rooms/{room}"). A fixed path goes before a pattern with a rest, the longer before
/// the shorter. The fixed part is compared with the path as it was sent; the rest is percent-decoded once.
/// HEAD is answered where GET is, and OPTIONS with Allow, unless they are in the table themselves.
class Router final : public Handler {
 public:
  /// `handler` must outlive the router.
  void add(std::initializer_list<Method> methods, std::string_view pattern, Handler& handler);
  /// Gets what no pattern matches, whatever the method, with the whole decoded path as rest.
  void set_fallback(Handler& handler) { fallback_ = &handler; }

  void handle(Exchange& exchange, std::string_view rest) override;

 private:
  using MethodHandlers = std::vector<std::pair<Method, Handler*>>;
  struct Route {
    std::string literal;  // up to the brace
    bool has_rest = false;
    MethodHandlers handlers;
  };

  [[nodiscard]] const Route* find(std::string_view path) const;
  static Handler* handler_for(const Route& route, Method method);
  [[nodiscard]] std::string allowed_anywhere() const;

  std::vector<Route> routes_;
  Handler* fallback_ = nullptr;
};

}  // namespace roomcast::http

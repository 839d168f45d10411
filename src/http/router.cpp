#include "http/router.h"

#include <algorithm>
#include <array>
#include <optional>

#include "http/url.h"

namespace roomcast::http {

namespace {

constexpr std::array all_methods{Method::get,     Method::head,  Method::post,   Method::put,
                                 Method::delete_, Method::patch, Method::options};

/// The value of Allow: what `allows` says of each method. OPTIONS is always answered.
template <class Allows>
std::string allow_list(const Allows& allows) {
  std::string list;
  for (const Method method : all_methods) {
    if (method != Method::options && !allows(method)) continue;
    if (!list.empty()) list += ", ";
    list += to_string(method);
  }
  return list;
}

void respond_with_allow(Exchange& exchange, const std::string& allow) {
  const bool asked = exchange.request().method == Method::options;
  Response response =
      asked ? Response{} : Response::error(405, "method_not_allowed", "this path allows " + allow);
  if (asked) response.status = 204;
  response.headers.add("Allow", allow);
  exchange.respond(std::move(response));
}

}  // namespace

void Router::add(std::initializer_list<Method> methods, std::string_view pattern, Handler& handler) {
  const auto brace = pattern.find('{');
  const std::string literal(pattern.substr(0, brace));
  const bool has_rest = brace != std::string_view::npos;
  auto route = std::find_if(routes_.begin(), routes_.end(), [&](const Route& candidate) {
    return candidate.literal == literal && candidate.has_rest == has_rest;
  });
  if (route == routes_.end()) route = routes_.insert(routes_.end(), Route{literal, has_rest, {}});
  for (const Method method : methods)
    route->handlers.emplace_back(method, &handler);
}

void Router::handle(Exchange& exchange, std::string_view /*rest*/) {
  const Request& request = exchange.request();
  if (request.path == "*") return respond_with_allow(exchange, allowed_anywhere());
  const Route* route = find(request.path);
  if (route == nullptr && fallback_ == nullptr) {
    return exchange.respond(Response::error(404, "not_found", "there is nothing at this path"));
  }
  Handler* handler = route == nullptr ? fallback_ : handler_for(*route, request.method);
  if (handler == nullptr) {
    return respond_with_allow(
        exchange, allow_list([route](Method method) { return handler_for(*route, method) != nullptr; }));
  }
  const std::size_t literal_size = route == nullptr ? 0 : route->literal.size();
  const auto rest = percent_decode(std::string_view(request.path).substr(literal_size));
  if (!rest) return exchange.respond(Response::error(400, "bad_path", rest.error().message));
  handler->handle(exchange, *rest);
}

const Router::Route* Router::find(std::string_view path) const {
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (!route.has_rest && route.literal == path) return &route;
    if (!route.has_rest || !path.starts_with(route.literal)) continue;
    if (best == nullptr || route.literal.size() > best->literal.size()) best = &route;
  }
  return best;
}

Handler* Router::handler_for(const Route& route, Method method) {
  const auto registered = [&route](Method wanted) -> Handler* {
    for (const auto& [candidate, handler] : route.handlers) {
      if (candidate == wanted) return handler;
    }
    return nullptr;
  };
  Handler* handler = registered(method);
  return handler == nullptr && method == Method::head ? registered(Method::get) : handler;
}

std::string Router::allowed_anywhere() const {
  return allow_list([this](Method method) {
    return std::any_of(routes_.begin(), routes_.end(),
                       [method](const Route& route) { return handler_for(route, method) != nullptr; });
  });
}

}  // namespace roomcast::http

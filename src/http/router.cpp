#include "http/router.h"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

#include "http/url.h"

namespace roomcast::http {

namespace {

constexpr std::array all_methods{Method::get,     Method::head,  Method::post,   Method::put,
                                 Method::delete_, Method::patch, Method::options};

/// The methods for which `allows` returns true, as a list for a header field.
template <class Allows>
std::string method_list(const Allows& allows) {
  std::string list;
  for (const Method method : all_methods) {
    if (!allows(method)) continue;
    if (!list.empty()) list += ", ";
    list += to_string(method);
  }
  return list;
}

void respond_with_allow(Exchange& exchange, const std::string& allow) {
  const bool asked = exchange.request().method == Method::options;
  Response response =
      asked ? Response{}
            : Response::error({base::Refusal::Code::method_not_allowed, "this path allows " + allow});
  if (asked) response.status = 204;
  response.headers.add("Allow", allow);
  exchange.respond(std::move(response));
}

}  // namespace

void Router::add(std::initializer_list<Method> methods, std::string_view pattern, Access access,
                 Handler& handler) {
  if (access != Access::open && gate_ == nullptr)
    throw std::logic_error("a route that is not open needs a gate: " + std::string(pattern));
  const auto brace = pattern.find('{');
  const std::string literal(pattern.substr(0, brace));
  const bool has_rest = brace != std::string_view::npos;
  auto route = std::find_if(routes_.begin(), routes_.end(), [&](const Route& candidate) {
    return candidate.literal == literal && candidate.has_rest == has_rest;
  });
  if (route == routes_.end()) route = routes_.insert(routes_.end(), Route{literal, has_rest, {}});
  for (const Method method : methods)
    route->entries.push_back({method, access, &handler});
}

void Router::handle(Exchange& exchange, std::string_view /*rest*/) {
  const Request& request = exchange.request();
  if (request.path == "*") return respond_with_allow(exchange, allowed_anywhere());
  const Route* route = find(request.path);
  if (route == nullptr && fallback_ == nullptr) {
    return exchange.respond(
        Response::error({base::Refusal::Code::not_found, "there is nothing at this path"}));
  }
  const Entry* entry = route == nullptr ? nullptr : entry_for(*route, request.method);
  const bool is_handled = route == nullptr || entry != nullptr;
  const std::size_t literal_size = route == nullptr ? 0 : route->literal.size();
  const auto rest = percent_decode(std::string_view(request.path).substr(literal_size));
  // A preflight is as cheap to answer as to refuse, and a page could not read the refusal.
  const bool is_for_gate = gate_ != nullptr && (is_handled || request.method != Method::options);
  const Access access = entry == nullptr || !rest ? Access::open : entry->access;
  if (is_for_gate && !gate_->admit(exchange, access)) return;
  if (!is_handled && request.method != Method::options)
    return respond_with_allow(exchange, methods_of(*route) + ", OPTIONS");
  if (!rest) return exchange.respond(Response::error({base::Refusal::Code::bad_path, rest.error().message}));
  if (!is_handled) return answer_options(exchange, *route);
  if (entry == nullptr) return fallback_->handle(exchange, *rest);
  entry->handler->handle(exchange, *rest);
}

void Router::answer_options(Exchange& exchange, const Route& route) const {
  const std::string methods = methods_of(route);
  Access strictest = Access::open;
  for (const Entry& entry : route.entries)
    strictest = std::max(strictest, entry.access);
  if (gate_ != nullptr && gate_->answer_preflight(exchange, strictest, methods)) return;
  respond_with_allow(exchange, methods + ", OPTIONS");
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

const Router::Entry* Router::entry_for(const Route& route, Method method) {
  const auto registered = [&route](Method wanted) -> const Entry* {
    const auto found = std::find_if(route.entries.begin(), route.entries.end(),
                                    [wanted](const Entry& entry) { return entry.method == wanted; });
    return found == route.entries.end() ? nullptr : &*found;
  };
  const Entry* entry = registered(method);
  return entry == nullptr && method == Method::head ? registered(Method::get) : entry;
}

std::string Router::methods_of(const Route& route) {
  return method_list(
      [&route](Method method) { return method != Method::options && entry_for(route, method) != nullptr; });
}

std::string Router::allowed_anywhere() const {
  return method_list([this](Method method) {
    return method == Method::options ||
           std::any_of(routes_.begin(), routes_.end(),
                       [method](const Route& route) { return entry_for(route, method) != nullptr; });
  });
}

}  // namespace roomcast::http

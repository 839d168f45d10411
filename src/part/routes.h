#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "http/router.h"

namespace roomcast::part {

/// The routers that parts add their routes to. All outlive it.
class Routes {
 public:
  /// `operations`: what admin listeners serve; `reserve`: what is served past limits.connections;
  /// `confined`: whether what is for operation is served on admin listeners only (confine_operations).
  Routes(http::Router& regular, http::Router& operations, http::Router& reserve, bool confined)
      : regular_(regular), operations_(operations), reserve_(reserve), confined_(confined) {}

  /// See http::Router::add. `handler` must outlive the routers.
  void add(std::initializer_list<http::Method> methods, std::string_view pattern, http::Access access,
           http::Handler& handler) {
    regular_.add(methods, pattern, access, handler);
  }
  /// A `GET` endpoint for health checks: open, also on admin listeners and past limits.connections.
  void add_health(std::string_view path, http::Handler& handler) {
    for (http::Router* router : {&regular_, &operations_, &reserve_})
      router->add({http::Method::get}, path, http::Access::open, handler);
  }
  /// The same for monitoring: on admin listeners only, if what is for operation is confined to these.
  void add_monitoring(std::string_view path, http::Handler& handler) {
    if (!confined_) return add_health(path, handler);
    operations_.add({http::Method::get}, path, http::Access::open, handler);
  }
  /// A route for backends and operators: on admin listeners, and on the others unless it is confined.
  void add_api(std::initializer_list<http::Method> methods, std::string_view pattern, http::Access access,
               http::Handler& handler) {
    operations_.add(methods, pattern, access, handler);
    if (!confined_) regular_.add(methods, pattern, access, handler);
  }
  /// Gets what no route matches.
  void set_fallback(http::Handler& handler) { regular_.set_fallback(handler); }

 private:
  http::Router& regular_;
  http::Router& operations_;
  http::Router& reserve_;
  bool confined_;
};

/// A way to read a room. `GET /rooms/{room}` leads to it if the client asks for it by name
/// (`?transport=NAME`) or by media type (Accept), or by the Upgrade that it is. Texts must outlive the list.
struct RoomTransport {
  std::string_view name;
  http::Handler* handler = nullptr;
  std::string_view media_type{};     ///< empty: not chosen by Accept
  std::string_view upgrade{};        ///< token of Upgrade; goes before everything else
  http::RefusalForm refusal_form{};  ///< for refusals of requests that lead here; may be empty
  bool is_default = false;           ///< chosen if a request names none, and for HEAD
};

/// Of transports that a client wants equally the earlier is chosen; the default one comes last.
using RoomTransports = std::vector<RoomTransport>;

}  // namespace roomcast::part

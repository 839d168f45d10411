#include "api/presence.h"

#include <string>
#include <utility>

#include "base/json.h"
#include "dialect/event_json.h"

namespace roomcast::api {

namespace {

http::Response answer(const service::Rooms& rooms, const service::Caller& caller, std::string_view room) {
  const auto presence = rooms.presence(caller, room);
  if (!presence) return http::Response::error(presence.error());
  std::string body = R"({"room":)";
  base::append_json_string(body, room);
  body += ',';
  dialect::append_presence_members(body, *presence);
  body += "}\n";
  return http::Response::of(200, "application/json", body);
}

}  // namespace

void Presence::add_routes(part::Routes& routes) {
  routes.add({http::Method::get}, "/presence/{room}", http::Access::clients, *this);
}

void Presence::handle(http::Exchange& exchange, std::string_view room) {
  const std::string& address = exchange.request().client.address;
  http::Response response =
      answer(rooms_, {exchange.context().identity, "", hub::source_of(address), address}, room);
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

std::unique_ptr<part::Part> make_presence(const part::Context& context) {
  return std::make_unique<Presence>(context.rooms);
}

}  // namespace roomcast::api

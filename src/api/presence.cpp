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

http::Response not_stored(http::Response response) {
  response.headers.add("Cache-Control", "no-store");
  return response;
}

}  // namespace

void Presence::add_routes(part::Routes& routes) {
  routes.add({http::Method::get}, "/presence/{room}", http::Access::clients, *this);
}

void Presence::handle(http::Exchange& exchange, std::string_view room) {
  // The request is gone once the answer is deferred.
  const std::string address = exchange.request().client.address;
  const std::string name(room);
  const service::Caller caller{exchange.context().identity, "", hub::source_of(address), address};
  const bool is_refused = !rooms_.presence(caller, room);
  if (is_refused || rooms_.knows_presence(room))
    return exchange.respond(not_stored(answer(rooms_, caller, room)));
  const auto respond = [this, name, id = exchange.defer(), identity = caller.identity,
                        address](const hub::HistoryResult& opened) {
    const service::Caller by{identity, "", hub::source_of(address), address};
    responses_.respond(id,
                       not_stored(opened ? answer(rooms_, by, name) : http::Response::error(opened.error())));
  };
  rooms_.await_presence(caller, name, respond);
}

std::unique_ptr<part::Part> make_presence(const part::Context& context) {
  return std::make_unique<Presence>(context.rooms, context.responses);
}

}  // namespace roomcast::api

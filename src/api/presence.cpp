#include "api/presence.h"

#include <string>
#include <utility>

#include "base/json.h"
#include "dialect/event_json.h"
#include "hub/room_name.h"

namespace roomcast::api {

namespace {

http::Response answer(const hub::Hub& hub, std::string_view room) {
  if (const auto valid = hub::check_room_name(room); !valid) {
    return http::Response::error({base::Refusal::Code::bad_room_name, valid.error().message});
  }
  std::string body = R"({"room":)";
  base::append_json_string(body, room);
  body += ',';
  dialect::append_presence_members(body, hub.presence(room));
  body += "}\n";
  return http::Response::of(200, "application/json", body);
}

}  // namespace

void Presence::handle(http::Exchange& exchange, std::string_view room) {
  http::Response response = answer(hub_, room);
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

}  // namespace roomcast::api

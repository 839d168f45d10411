#include "api/room_list.h"

#include <optional>
#include <string>
#include <utility>

#include "hub/cursor.h"

namespace roomcast::api {

namespace {

void append_room(std::string& json, const hub::RoomSummary& room) {
  json += '{';
  append_member(json, "room", room.name);
  append_member(json, "subscribers", room.members);
  append_member(json, "messages", room.messages);
  append_member(json, "bytes", room.bytes);
  if (room.top.epoch != 0) append_member(json, "cursor", hub::to_cursor(room.top));
  json += '}';
}

}  // namespace

void RoomList::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::get}, "/api/rooms", http::Access::operators, list_);
  routes.add_api({http::Method::get}, "/api/rooms/{room}", http::Access::operators, show_);
}

void RoomList::list(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments = Arguments::of_query(exchange.request(), {"prefix", "after", "limit"});
  const std::string prefix = arguments.text("prefix").value_or("");
  const auto below = arguments.number("after", SIZE_MAX);
  const std::size_t limit = limit_of(arguments);
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const service::Caller caller = caller_of(exchange);
  std::string json = R"({"rooms":[)";
  const auto next = rooms_.list(caller, {prefix, below.value_or(service::Rooms::last_room), limit},
                                [&json](const hub::RoomSummary& room) {
                                  if (json.back() != '[') json += ',';
                                  append_room(json, room);
                                });
  if (json.back() == '[' && !next) {
    // Nothing to show: to a moderator as to anybody else.
    if (const auto refusal = rooms_.check_admin(caller)) return exchange.respond(refusal_answer(*refusal));
  }
  append_next(json, next ? std::optional(std::to_string(*next)) : std::nullopt);
  exchange.respond(json_answer(std::move(json)));
}

void RoomList::show(http::Exchange& exchange, std::string_view room) {
  const auto found = rooms_.inspect(caller_of(exchange), room);
  if (!found) return exchange.respond(refusal_answer(found.error()));
  std::string json;
  append_room(json, *found);
  exchange.respond(json_answer(std::move(json)));
}

std::unique_ptr<part::Part> make_room_list(const part::Context& context) {
  return std::make_unique<RoomList>(context.rooms);
}

}  // namespace roomcast::api

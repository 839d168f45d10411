#include "api/messages.h"

#include <optional>
#include <string>
#include <utility>

#include "api/publish_format.h"
#include "hub/cursor.h"

namespace roomcast::api {

namespace {

http::Response amendment_answer(std::string_view room, const hub::PublishResult& result) {
  if (!result) return refusal_answer(result.error());
  std::string json = "{";
  append_member(json, "room", room);
  append_member(json, "cursor", hub::to_cursor(result->position));
  return json_answer(json + '}');
}

}  // namespace

Messages::Messages(const part::Context& context)
    : rooms_(context.rooms), responses_(context.responses), audit_(context.log) {}

void Messages::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::delete_, http::Method::put}, "/api/messages", http::Access::operators, *this);
  routes.add_api({http::Method::post}, "/api/clear", http::Access::operators, *this);
}

void Messages::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  if (exchange.request().method == http::Method::post) return clear(exchange);
  amend(exchange);
}

hub::PublishDone Messages::answer_to(http::Exchange& exchange, std::string_view call, const std::string& room,
                                     std::string_view cursor) {
  const service::Caller caller = caller_of(exchange);
  std::string target = room;
  if (!cursor.empty()) target.append(" ").append(cursor);
  return [this, call, room, target, id = exchange.defer(), identity = caller.identity,
          address = std::string(caller.address)](const hub::PublishResult& result) {
    service::Caller by;
    by.identity = identity;
    by.address = address;
    audit_.note(by, call, target, result ? std::nullopt : std::optional(result.error()));
    responses_.respond(id, amendment_answer(room, result));
  };
}

void Messages::clear(http::Exchange& exchange) {
  Arguments arguments = Arguments::of_body(exchange.request(), {"room"});
  const std::string room = arguments.required("room");
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const service::Caller caller = caller_of(exchange);
  rooms_.clear_room(caller, room, answer_to(exchange, "clear", room, {}));
}

void Messages::amend(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  Arguments arguments = Arguments::of_query(request, {"room", "cursor"});
  const std::string room = arguments.required("room");
  const std::string cursor = arguments.text("cursor").value_or("");
  const auto position = hub::parse_cursor(cursor);
  if (!position) {
    arguments.refuse(
        {base::Refusal::Code::bad_cursor, "cursor must be that of a message, as this server gives it"});
  }
  const bool replaces = request.method == http::Method::put;
  if (replaces) {
    if (auto refusal = check_encoding(request)) arguments.refuse(*std::move(refusal));
  }
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const service::Caller caller = caller_of(exchange);
  if (!replaces) {
    return rooms_.remove_message(caller, room, *position,
                                 answer_to(exchange, "delete message", room, cursor));
  }
  const service::RawPayload payload{kind_of_body(request), request.body};
  rooms_.replace_message(caller, room, *position, payload,
                         answer_to(exchange, "replace message", room, cursor));
}

std::unique_ptr<part::Part> make_messages(const part::Context& context) {
  return std::make_unique<Messages>(context);
}

}  // namespace roomcast::api

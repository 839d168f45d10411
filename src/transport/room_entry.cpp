#include "transport/room_entry.h"

#include <string>
#include <utility>

#include "transport/negotiation.h"

namespace roomcast::transport {

namespace {

constexpr std::string_view rooms_path = "/rooms/";

/// "transport must be websocket, sse, stream or poll, or be left out"; the default one comes last.
std::string names_wanted(const part::RoomTransports& transports) {
  std::string text = "transport must be ";
  const part::RoomTransport* const last = default_transport(transports);
  bool is_first = true;
  for (const part::RoomTransport& transport : transports) {
    if (&transport == last) continue;
    if (!std::exchange(is_first, false)) text += ", ";
    text += transport.name;
  }
  if (last != nullptr) text.append(" or ").append(last->name);
  return text + ", or be left out";
}

}  // namespace

void RoomEntry::add_routes(part::Routes& routes) {
  routes.add({http::Method::get}, "/rooms/{room}", http::Access::clients, *this);
}

void RoomEntry::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  // HEAD asks about the room; there is no answer without end to it.
  const part::RoomTransport* const transport =
      request.method == http::Method::head ? default_transport(transports_) : choose(request, transports_);
  if (transport != nullptr) return transport->handler->handle(exchange, room);
  http::Response response =
      http::Response::error({base::Refusal::Code::bad_transport, names_wanted(transports_)});
  add_room_fields(response.headers);
  exchange.respond(std::move(response));
}

void form_refusal(const http::Request& request, http::Response& response,
                  const part::RoomTransports& transports) {
  if (request.method != http::Method::get || !request.path.starts_with(rooms_path)) return;
  const part::RoomTransport* const transport = choose(request, transports);
  if (transport != nullptr && transport->refusal_form) transport->refusal_form(request, response);
}

std::unique_ptr<part::Part> make_room_entry(const part::Context& context) {
  return std::make_unique<RoomEntry>(context.transports);
}

}  // namespace roomcast::transport

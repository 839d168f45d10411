#include "transport/room_entry.h"

#include <utility>

#include "transport/negotiation.h"
#include "transport/room_answer.h"

namespace roomcast::transport {

void RoomEntry::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  // HEAD asks about the room; there is no answer without end to it.
  const auto choice = request.method == http::Method::head ? Choice::poll : choose(request);
  if (!choice) {
    http::Response response =
        http::Response::error({base::Refusal::Code::bad_transport,
                               "transport must be websocket, sse, stream or poll, or be left out"});
    add_room_fields(response.headers);
    return exchange.respond(std::move(response));
  }
  switch (*choice) {
    case Choice::websocket:
      return transports_.websocket.handle(exchange, room);
    case Choice::event_stream:
      return transports_.event_stream.handle(exchange, room);
    case Choice::ndjson:
      return transports_.ndjson.handle(exchange, room);
    case Choice::poll:
      return transports_.poll.handle(exchange, room);
  }
}

}  // namespace roomcast::transport

#include "transport/websocket_upgrade.h"

#include <memory>
#include <string>
#include <utility>

namespace roomcast::transport {

namespace {

/// Field values joined where they may be lists; they live as long as the request.
struct Fields {
  explicit Fields(const http::Headers& headers)
      : upgrade(headers.joined("Upgrade")),
        connection(headers.joined("Connection")),
        protocols(headers.joined("Sec-WebSocket-Protocol")),
        extensions(headers.joined("Sec-WebSocket-Extensions")) {}
  std::string upgrade;
  std::string connection;
  std::string protocols;
  std::string extensions;
};

ws::HandshakeRequest handshake_request(const http::Request& request, const Fields& fields) {
  ws::HandshakeRequest handshake;
  handshake.method = request.method_text;
  handshake.minor_version = request.minor_version;
  handshake.upgrade = fields.upgrade;
  handshake.connection = fields.connection;
  handshake.key = request.headers.get("Sec-WebSocket-Key").value_or("");
  handshake.key_count = request.headers.count("Sec-WebSocket-Key");
  handshake.version = request.headers.get("Sec-WebSocket-Version").value_or("");
  handshake.version_count = request.headers.count("Sec-WebSocket-Version");
  handshake.protocols = fields.protocols;
  handshake.protocol_count = request.headers.count("Sec-WebSocket-Protocol");
  handshake.extensions = fields.extensions;
  return handshake;
}

http::Response refusal(const ws::HandshakeRefused& refused) {
  http::Response response = http::Response::error(refused.status, refused.code, refused.message);
  for (const auto& [name, value] : refused.headers)
    response.headers.add(std::string(name), std::string(value));
  return response;
}

http::Response refusal(const session::Rejection& rejection) {
  using Why = session::Rejection::Why;
  if (rejection.why == Why::overloaded) return http::Response::overloaded(rejection.message);
  const auto* const code = rejection.why == Why::bad_room_name ? "bad_room_name" : "bad_client_name";
  return http::Response::error(400, code, rejection.message);
}

}  // namespace

WebSocketUpgrade::WebSocketUpgrade(WebSocketShared& shared, session::SessionTable& sessions,
                                   session::DialectChoices choices, Rooms rooms,
                                   const std::optional<ws::DeflatePolicy>& deflate)
    : shared_(shared),
      sessions_(sessions),
      choices_(std::move(choices)),
      rooms_(rooms),
      policy_{{}, deflate} {
  for (const session::DialectChoice& choice : choices_.named)
    policy_.subprotocols.push_back(choice.subprotocol);
}

void WebSocketUpgrade::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  const bool has_room = rooms_ == Rooms::from_path;
  const std::string name = request.query_parameter("name").value_or("");
  if (const auto rejection = sessions_.check(has_room ? std::optional(room) : std::nullopt, name)) {
    return exchange.respond(refusal(*rejection));
  }
  const Fields fields(request.headers);
  const auto decision = ws::decide_handshake(handshake_request(request, fields), policy_);
  if (!decision) return exchange.respond(refusal(decision.error()));
  // The request goes with the hand-over: what is needed of it is taken before.
  const std::string room_name(room);
  const bool own_messages = request.query_parameter("echo") != "0";
  http::HandOver connection = exchange.take_over(decision->head);
  WebSocket::Parts parts{std::move(connection.stream),    std::move(connection.unsent),
                         std::move(connection.admission), std::move(connection.leftover),
                         std::move(connection.peer),      decision->deflate};
  sessions_.open(std::make_unique<WebSocket>(shared_, std::move(parts)), choices_.find(decision->subprotocol),
                 {room_name, name, own_messages});
}

}  // namespace roomcast::transport

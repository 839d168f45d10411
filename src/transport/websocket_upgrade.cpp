#include "transport/websocket_upgrade.h"

#include <memory>
#include <string>
#include <utility>

#include "transport/join_request.h"

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
    response.headers.add(name, value);
  return response;
}

http::Response subprotocol_needed(const session::DialectChoices& choices) {
  std::string message = "Sec-WebSocket-Protocol must offer";
  for (const session::DialectChoice& choice : choices.named)
    message.append(&choice == choices.named.data() ? " " : " or ").append(choice.subprotocol);
  return http::Response::error(400, "bad_subprotocol", message);
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
  auto join =
      read_join_request(request, rooms_ == Rooms::from_path ? std::optional(room) : std::nullopt, sessions_);
  if (!join) return exchange.respond(std::move(join.error()));
  const Fields fields(request.headers);
  const auto decision = ws::decide_handshake(handshake_request(request, fields), policy_);
  if (!decision) return exchange.respond(refusal(decision.error()));
  const dialect::Dialect* const dialect = choices_.find(decision->subprotocol);
  if (dialect == nullptr) return exchange.respond(subprotocol_needed(choices_));
  // The request goes with the hand-over; all that is needed of it has been copied.
  http::HandOver connection = exchange.take_over(decision->head);
  WebSocket::Parts parts{std::move(connection.stream),    std::move(connection.unsent),
                         std::move(connection.admission), std::move(connection.leftover),
                         std::move(connection.peer),      decision->deflate,
                         dialect->has_envelope()};
  session::Options options = join->options();
  options.two_way = true;
  sessions_.open(std::make_unique<WebSocket>(shared_, std::move(parts)), *dialect, options);
}

}  // namespace roomcast::transport

#include "transport/websocket_upgrade.h"

#include <memory>
#include <string>
#include <utility>

#include "transport/join_request.h"

namespace roomcast::transport {

namespace {

/// The fields of one name as a list (RFC 9110 section 5.3). A single one, which is what all clients send,
/// need not be copied.
class ListField {
 public:
  ListField(const http::Headers& headers, std::string_view name) : found_(headers.find(name)) {
    if (found_.count > 1) joined_ = headers.joined(name);
  }
  [[nodiscard]] std::string_view value() const { return found_.count > 1 ? joined_ : found_.first; }
  [[nodiscard]] std::size_t count() const { return found_.count; }

 private:
  http::Headers::Found found_;
  std::string joined_;
};

base::Result<ws::HandshakeAccepted, ws::HandshakeRefused> decide(const http::Request& request,
                                                                 const ws::HandshakePolicy& policy,
                                                                 base::Sha1& sha1) {
  const ListField upgrade(request.headers, "Upgrade");
  const ListField connection(request.headers, "Connection");
  const ListField protocols(request.headers, "Sec-WebSocket-Protocol");
  const ListField extensions(request.headers, "Sec-WebSocket-Extensions");
  const auto key = request.headers.find("Sec-WebSocket-Key");
  const auto version = request.headers.find("Sec-WebSocket-Version");
  ws::HandshakeRequest handshake;
  handshake.method = request.method_text;
  handshake.minor_version = request.minor_version;
  handshake.upgrade = upgrade.value();
  handshake.connection = connection.value();
  handshake.key = key.first;
  handshake.key_count = key.count;
  handshake.version = version.first;
  handshake.version_count = version.count;
  handshake.protocols = protocols.value();
  handshake.protocol_count = protocols.count();
  handshake.extensions = extensions.value();
  return ws::decide_handshake(handshake, policy, sha1);
}

[[gnu::cold]] http::Response refusal(const ws::HandshakeRefused& refused) {
  http::Response response = http::Response::error(refused.refusal);
  for (const auto& [name, value] : refused.headers)
    response.headers.add(name, value);
  return response;
}

WebSocketOptions options_for(const dialect::Dialect& dialect) {
  return {dialect.has_envelope(), dialect.heartbeat().means == dialect::Heartbeat::Means::transport};
}

base::Refusal subprotocol_needed(const session::DialectChoices& choices) {
  std::string message = "Sec-WebSocket-Protocol must offer";
  for (const session::DialectChoice& choice : choices.named)
    message.append(&choice == choices.named.data() ? " " : " or ").append(choice.subprotocol);
  return {base::Refusal::Code::bad_subprotocol, message};
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

/// Whether a client that is refused may still show who it is once it is connected.
bool WebSocketUpgrade::may_authenticate_later(const base::Refusal& refusal) const {
  return refusal.code == base::Refusal::Code::unauthorized && sessions_.authenticator() != nullptr &&
         sessions_.settings().authenticate_ms > 0;
}

void WebSocketUpgrade::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  const auto place = rooms_ == Rooms::from_path ? std::optional(room) : std::nullopt;
  const auto join = parse_join_request(request, exchange.context().identity, place);
  if (!join) return exchange.respond(http::Response::error(join.error()));
  const auto refused = sessions_.service().check_join(join->caller, place, join->interest);
  if (refused && !may_authenticate_later(*refused)) {
    return exchange.respond(http::Response::error(*refused));
  }
  const auto decision = decide(request, policy_, sha1_);
  if (!decision) return exchange.respond(refusal(decision.error()));
  const dialect::Dialect* const dialect = choices_.find(decision->subprotocol);
  if (dialect == nullptr) return exchange.respond(http::Response::error(subprotocol_needed(choices_)));
  if (refused && !dialect->can_authenticate()) return exchange.respond(http::Response::error(*refused));
  if (const auto refusal = sessions_.check_connection(join->caller.identity))
    return exchange.respond(http::Response::error(*refusal));
  session::Options options = join->options();
  options.two_way = true;
  if (refused) options.admission_ms = sessions_.settings().authenticate_ms;
  // The request goes with the hand-over; all that is needed of it has been copied.
  sessions_.open(std::make_unique<WebSocket>(shared_, exchange.take_over(decision->head), decision->deflate,
                                             options_for(*dialect)),
                 *dialect, options);
}

}  // namespace roomcast::transport

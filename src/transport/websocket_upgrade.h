#pragma once

#include <string_view>

#include "http/exchange.h"
#include "session/dialect_choice.h"
#include "session/session_table.h"
#include "transport/websocket.h"
#include "ws/handshake.h"

namespace roomcast::transport {

/// `GET` with `Upgrade: websocket`: decides the handshake, takes the connection over and makes a session of
/// it. `?name=` is how the client is called, `?echo=0` leaves out its own messages.
class WebSocketUpgrade final : public http::Handler {
 public:
  enum class Rooms : bool { none, from_path };

  /// `choices.named` must outlive the handler, as its names do.
  WebSocketUpgrade(WebSocketShared& shared, session::SessionTable& sessions, session::DialectChoices choices,
                   Rooms rooms, const std::optional<ws::DeflatePolicy>& deflate);

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  [[nodiscard]] bool may_authenticate_later(const base::Refusal& refusal) const;

  WebSocketShared& shared_;
  session::SessionTable& sessions_;
  session::DialectChoices choices_;
  Rooms rooms_;
  ws::HandshakePolicy policy_;
  base::Sha1 sha1_;
};

}  // namespace roomcast::transport

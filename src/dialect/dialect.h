#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/close_reason.h"
#include "dialect/conversation.h"
#include "dialect/event.h"
#include "dialect/heartbeat.h"
#include "dialect/payload.h"
#include "hub/message.h"

namespace roomcast::dialect {

/// An application protocol: decodes what clients send into commands, and encodes messages and events. One
/// object serves all clients of the dialect and holds no state of any of them; a dialect that needs state
/// makes a Conversation for each client.
class Dialect {
 public:
  /// Stable name, also for metrics: "raw", "json", …
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// State for one client, to be owned by its session; null (the default) for a dialect that needs none. With
  /// a conversation the session decodes and encodes events through it in place of the functions below.
  [[nodiscard]] virtual std::unique_ptr<Conversation> start_conversation() const { return nullptr; }

  /// Decodes one whole message from a client; valid UTF-8 if `form` is text.
  virtual void decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const = 0;
  /// Writes the payload of `message` of `room`, or several that belong together. The same for every client:
  /// it is made once for all of them.
  virtual void encode(std::string_view room, const hub::Message& message, PayloadWriter& out) const = 0;
  /// Writes what a client is sent for `event`; false, and nothing is written, if the dialect cannot express
  /// it. Without an envelope only a wire that names its events can carry it.
  virtual bool encode(const Event& event, PayloadWriter& out) const = 0;
  /// Whether a payload identifies itself, so that messages and events can share one wire.
  [[nodiscard]] virtual bool has_envelope() const = 0;
  /// Whether clients can show who they are by a command (Authenticate), after the handshake.
  [[nodiscard]] virtual bool can_authenticate() const { return false; }
  /// The event name of `message` on a wire that names its events; empty, as by default: none.
  [[nodiscard]] virtual std::string_view event_name(const hub::Message& /*message*/) const { return {}; }
  /// The name of `event` on such a wire.
  [[nodiscard]] virtual std::string_view event_name(const Event& event) const { return name_of(event); }

  /// How a silent client is found to be gone. By default the transport's own means.
  [[nodiscard]] virtual Heartbeat heartbeat() const { return {}; }
  /// The WebSocket close code (RFC 6455 section 7.4) sent for `reason`; 0 where no close frame is sent. A
  /// dialect that has codes of its own (4000–4999) returns those.
  [[nodiscard]] virtual std::uint16_t close_code(base::CloseReason reason) const {
    return base::describe(reason).websocket;
  }

 protected:
  ~Dialect() = default;
};

}  // namespace roomcast::dialect

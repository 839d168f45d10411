#pragma once

#include <cstddef>
#include <string_view>

#include "base/close_reason.h"
#include "base/refusal.h"
#include "dialect/command.h"
#include "dialect/event.h"
#include "dialect/payload.h"
#include "hub/message.h"

namespace roomcast::dialect {

/// Carries out what a client has asked for. Implemented by the session. Views live for the call.
class CommandHandler {
 public:
  /// Publishes into the room that the connection was opened for.
  virtual void publish(hub::Kind kind, std::string_view payload) = 0;
  /// Runs a request; its reply carries the request's id.
  virtual void run(const Command& command) = 0;
  /// Sends an error: what the client sent is not a valid request.
  virtual void refuse(RequestId id, const base::Refusal& refusal) = 0;
  /// Sends one payload to this client only.
  virtual void reply(PayloadForm form, std::string_view bytes) = 0;
  /// Closes the session because the client broke the dialect beyond repair. `text`: at most 123 bytes.
  virtual void fail(base::CloseReason reason, std::string_view text) = 0;
  /// Closes the session because the client has asked for that.
  virtual void leave() {}
  /// Admits a session that is `opening`: it joins the room of its connection, if there is one, under `name`
  /// (empty: the name it came with), and may publish and run requests from here on. No effect if it is open.
  virtual void admit(std::string_view /*name*/) {}
  /// The client has answered the heartbeat. No effect if none is outstanding.
  virtual void heartbeat_answered() {}

 protected:
  ~CommandHandler() = default;
};

/// The state of one client in a dialect that needs some: an id it was given, a message whose attachments are
/// still to come, acknowledgements that are owed. Made by Dialect::start_conversation; owned by the session
/// and destroyed with it. It outlives each transport of the session.
class Conversation {
 public:
  Conversation() = default;
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  virtual ~Conversation() = default;

  /// Called once, before the other functions, when payloads can be sent. The session may be `opening`.
  virtual void start(CommandHandler& /*handler*/) {}
  /// In place of Dialect::decode. Called while the session is `opening` as well; publishing and requests
  /// close it then, except through CommandHandler::admit first.
  virtual void decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) = 0;
  /// In place of Dialect::encode for events of this client alone. Changes of presence, which all members of a
  /// room share, are encoded by the dialect. The last event of a session that the server closes is Bye.
  virtual bool encode(const Event& event, PayloadWriter& out) = 0;
  /// Bytes of memory held for the client, for the accounting of connections.
  [[nodiscard]] virtual std::size_t held_bytes() const { return 0; }
};

}  // namespace roomcast::dialect

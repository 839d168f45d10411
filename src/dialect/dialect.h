#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/close_reason.h"
#include "dialect/command.h"
#include "dialect/event.h"
#include "hub/message.h"

namespace roomcast::dialect {

/// How a transport carries a payload where it can tell: WebSocket opcode text or binary.
enum class Form : std::uint8_t { text, binary };

/// What a client gets for a message.
struct Encoded {
  Form form = Form::text;
  std::string_view bytes;
};

/// A message without anything around it.
[[nodiscard]] inline Encoded verbatim(const hub::Message& message) {
  return {message.kind == hub::Kind::binary ? Form::binary : Form::text, message.payload.view()};
}

/// What a client asked for. Views live for the call.
class Commands {
 public:
  /// Publish into the room the connection was opened for.
  virtual void publish(hub::Kind kind, std::string_view payload) = 0;
  /// Do what a request says; what is said of it carries its id.
  virtual void run(const Command& command) = 0;
  /// Tell the client that what it sent is no request.
  virtual void refuse(const Error& refused) = 0;
  /// Send these bytes back to this client only.
  virtual void reply(Form form, std::string_view bytes) = 0;
  /// The client broke the dialect beyond repair; `text` says how, at most 123 bytes.
  virtual void fail(base::CloseReason reason, std::string_view text) = 0;

 protected:
  ~Commands() = default;
};

/// What the bytes mean: turns what a client sends into commands and messages into what a client gets. Pure:
/// holds no state of any client and is shared by all of them.
class Dialect {
 public:
  /// Stable name, also for metrics: "raw", "json", …
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One whole message from a client, already valid UTF-8 if `form` is text.
  virtual void decode(Form form, std::string_view bytes, Commands& commands) const = 0;
  /// What a client gets for `message` of `room`: the payload itself, or what is laid down in `space`, empty
  /// before. Holds as long as those do.
  virtual Encoded encode(std::string_view room, const hub::Message& message, std::string& space) const = 0;
  /// Whether a payload says by itself what it is, so that messages and events can share one wire.
  [[nodiscard]] virtual bool has_envelope() const = 0;
  /// Appends what a client gets for `event`; nothing if this dialect has no words for it. Without an envelope
  /// only a wire that names its events can carry it.
  virtual std::optional<Form> encode(const Event& event, std::string& out) const = 0;
  /// What `event` is called on a wire that names its events.
  [[nodiscard]] virtual std::string_view event_name(const Event& event) const { return name_of(event); }

 protected:
  ~Dialect() = default;
};

}  // namespace roomcast::dialect

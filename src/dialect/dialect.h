#pragma once

#include <string>
#include <string_view>

#include "base/close_reason.h"
#include "hub/message.h"

namespace roomcast::dialect {

/// How a transport carries an encoded payload where it can tell: WebSocket opcode text or binary.
enum class Form : std::uint8_t { text, binary };

/// What a client asked for, as the session understands it. Views live for the call.
class Commands {
 public:
  virtual void publish(hub::Kind kind, std::string_view payload) = 0;
  /// Send these bytes back to the client, unchanged.
  virtual void reply(Form form, std::string_view bytes) = 0;
  /// The client broke the dialect's rules beyond repair.
  virtual void fail(base::CloseReason reason, std::string_view text) = 0;

 protected:
  ~Commands() = default;
};

/// What the bytes mean: turns what a client sends into commands and messages into what a client gets. Pure:
/// holds no state of any client and is shared by all of them.
class Dialect {
 public:
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One whole message from a client, already valid UTF-8 if `form` is text.
  virtual void decode(Form form, std::string_view bytes, Commands& commands) const = 0;
  /// Appends what a client of this dialect gets for `message` and says how it is to be carried.
  virtual Form encode(const hub::Message& message, std::string& out) const = 0;

 protected:
  ~Dialect() = default;
};

}  // namespace roomcast::dialect

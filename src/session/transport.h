#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/close_reason.h"
#include "base/frame.h"
#include "dialect/dialect.h"

namespace roomcast::session {

/// Puts one payload into the form a kind of wire wants. One object per kind (and compression), shared.
class Framing {
 public:
  virtual void frame(dialect::Form form, std::string_view payload, std::string& out) const = 0;

 protected:
  ~Framing() = default;
};

/// How bytes travel to and from one client. Owned by its session; reading is the transport's own business
/// and arrives at TransportEvents.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Queues wire bytes (already framed); they leave at the end of the turn, in order. Past the queue limit
  /// the transport closes itself with slow_consumer at the end of the turn.
  virtual void send(const base::FrameRef& wire) = 0;
  /// Bytes queued and not yet taken by the kernel.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  /// Starts the end: says why to the client where the wire can, after what it is still owed, except for
  /// slow_consumer, whose queue is dropped. TransportEvents::on_closed follows. Idempotent.
  virtual void close(base::CloseReason reason, std::string_view text) = 0;
  /// One line about this client for the log.
  [[nodiscard]] virtual std::string describe() const = 0;
};

class TransportEvents {
 public:
  /// One whole message from the client; the view lives for the call.
  virtual void on_message(dialect::Form form, std::string_view bytes) = 0;
  /// Over: nothing more will be read or written. Called once, never from within a Transport call.
  virtual void on_closed(base::CloseReason reason) = 0;

 protected:
  ~TransportEvents() = default;
};

}  // namespace roomcast::session

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/close_reason.h"
#include "base/holder.h"
#include "base/memory.h"
#include "dialect/dialect.h"
#include "hub/message.h"

namespace roomcast::session {

/// One payload to be framed, with what some framings carry besides.
struct OutgoingPayload {
  dialect::PayloadForm form = dialect::PayloadForm::text;
  std::string_view bytes;
  std::string_view event;  ///< name of the event that it is: "gap", "bye", a message's own; or empty
  std::optional<hub::Position> cursor;  ///< a client that has this payload has everything up to here
  /// For a single client: compressed only while much of the time for compression is left.
  bool for_one = false;
};

/// Frames payloads for one kind of transport. One object for each kind and compression, shared by all its
/// clients; its address identifies the kind.
class Framing {
 public:
  /// Appends the wire form of `unit` to `out`. Returns how many bytes were compressed for it, if any.
  virtual std::size_t frame(const OutgoingPayload& payload, std::string& out) const = 0;
  /// Reads payloads back from what `frame` wrote, in order, for a transport with another framing: form and
  /// bytes are those that were framed, event names and cursors may be lost. False, and nothing is
  /// written, if this framing does not support it: its transports can only be replaced by others with the
  /// same framing.
  [[nodiscard]] virtual bool unframe(std::string_view /*wire*/, dialect::PayloadWriter& /*out*/) const {
    return false;
  }
  /// Whether the wire marks an event as one, so that it cannot be taken for a message.
  [[nodiscard]] virtual bool names_events() const = 0;

 protected:
  ~Framing() = default;
};

/// The events of a transport, handled by the session that owns it.
class TransportEvents {
 public:
  /// One whole message from the client; the view lives for the call.
  virtual void on_message(dialect::PayloadForm form, std::string_view bytes) = 0;
  /// Everything that was queued has been written. Called once after Transport::notify_when_drained, at the
  /// end of a turn.
  virtual void on_drained() = 0;
  /// More than a quarter of the queue limit is queued, after a write that took as much as it could. Called
  /// after each such write.
  virtual void on_congested() = 0;
  /// The client has closed its side. Returns whether messages that it published before are still to be
  /// delivered to it; called again after each write until it returns false.
  [[nodiscard]] virtual bool awaits_own_messages() { return false; }
  /// The code of the close frame sent for `reason` (RFC 6455 section 7.4); 0: none is sent.
  [[nodiscard]] virtual std::uint16_t close_code(base::CloseReason reason) const {
    return base::describe(reason).websocket;
  }
  /// Bytes of memory held for this client besides those of the transport.
  [[nodiscard]] virtual std::size_t held_bytes() const { return 0; }
  /// Closing has begun, from either side; `text` is for people. From within this call, and only if the server
  /// closes, last payloads may be sent. Nothing is delivered to this client after it. Called at most once.
  virtual void on_closing(base::CloseReason reason, std::string_view text) = 0;
  /// Closed: nothing more will be read or written. Called once, never from within a call to the transport.
  virtual void on_closed(base::CloseReason reason) = 0;

 protected:
  ~TransportEvents() = default;
};

/// Counters of a transport, for the log.
struct Traffic {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;   ///< payload
  std::uint64_t bytes_out = 0;  ///< wire

  Traffic& operator+=(const Traffic& other) {
    messages_in += other.messages_in;
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
    return *this;
  }
};

/// Carries wire bytes to and from one client. Owned by its session. Under memory pressure it closes with
/// slow_consumer.
class Transport : public base::Holder {
 public:
  virtual ~Transport() = default;

  /// Prefetches what `send` and the flush after it touch: it stands at the beginning of each transport. Not
  /// virtual, so that the object is not touched before it has arrived.
  void prefetch_for_send() const {
    constexpr std::size_t touched_bytes = 120;
    base::prefetch(this, touched_bytes);
  }

  /// Begins reading; events follow, none from within this call. Called again, it goes on with `events` in
  /// place of those it had.
  virtual void start(TransportEvents& events) = 0;
  [[nodiscard]] virtual const Framing& framing() const = 0;
  /// For the log, as metrics label it: websocket, sse, stream.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Queues wire bytes (framed by framing()); they leave at the end of the turn, in order. A client whose
  /// queue passes limits.queue_bytes is closed with slow_consumer. Does nothing once closing.
  virtual void send(const base::Bytes& wire) = 0;
  /// Bytes queued that the kernel has not taken yet.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;

  /// Has TransportEvents::on_drained called, once, when nothing is queued any more.
  virtual void notify_when_drained() = 0;

  /// Stops and resumes taking messages from the client (back-pressure). Control frames wait as well.
  virtual void pause() = 0;
  virtual void resume() = 0;

  /// Begins to close: sends the reason where the wire can carry it, behind what is queued (except for
  /// slow_consumer, whose queue is dropped). on_closed follows within the close timeout. Idempotent.
  virtual void close(base::CloseReason reason, std::string_view text) = 0;
  /// Ends at once, without notice to the client. on_closed is not called.
  virtual void abort() = 0;
  /// Ends in favour of another transport of the same session: appends what is queued to `unsent`, as whole
  /// frames of framing(), in order, and calls no function of TransportEvents any more. Possible only where it
  /// is known what the client has got: not of a connection with bytes on their way. False, and nothing has
  /// changed, if it is not possible, or the end has begun.
  [[nodiscard]] virtual bool hand_over(std::vector<base::Bytes>& /*unsent*/) { return false; }

  [[nodiscard]] virtual std::string_view peer_address() const = 0;
  [[nodiscard]] virtual Traffic traffic() const = 0;
  /// The close code seen or sent on the wire (RFC 6455 section 7.4), 0 where there is none.
  [[nodiscard]] virtual std::uint16_t close_code() const = 0;
};

}  // namespace roomcast::session

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/memory.h"

namespace roomcast::net {

/// A connected, reliable, ordered stream of bytes: TCP, Unix socket, TLS over either, or a test double. The
/// layers above net/ use only this interface.
///
/// Lifetime: destroying the stream closes it immediately (RST or FIN as the kernel decides), and no Events
/// method is called afterwards. It must not be destroyed from within one of its Events calls: free its owner
/// later instead (base::Scheduler::free_later).
class ByteStream {
 public:
  class Events {
   public:
    /// Bytes have arrived. The buffer belongs to the loop: it is valid, and may be modified (unmasking in
    /// place), until the call returns.
    virtual void on_bytes(std::span<char> bytes) = 0;
    /// The peer has finished sending (FIN, TLS close_notify). Writing is still possible. Called once.
    virtual void on_end() = 0;
    /// More can be written after `write` took less than it was given.
    virtual void on_writable() = 0;
    /// The bytes of a `write_later` were not sent completely: `rest` is returned to the caller, as with
    /// `write`; `is_started` if part of the frame has been sent. The stream may be destroyed within this
    /// call.
    virtual void on_write_incomplete(base::Bytes&& /*rest*/, bool /*is_started*/) {}
    /// `held_bytes` has changed considerably without a call from the owner.
    virtual void on_held() {}
    /// The connection is broken: reset, TLS failure, EPIPE. No call follows. `why` is for the log.
    virtual void on_error(std::string_view why) = 0;

   protected:
    ~Events() = default;
  };

  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  /// Prefetches what `write` touches: all of a stream with TLS, and more than a socket's. Not virtual, so
  /// that the object is not touched before it has arrived.
  void prefetch_for_write() const {
    constexpr std::size_t touched_bytes = 104;
    base::prefetch(this, touched_bytes);
  }

  /// Sets the receiver of events, replacing the previous one (a hand-over after an upgrade). The first call
  /// starts reading. No event is delivered within this call.
  virtual void set_events(Events& events) = 0;

  /// Stops and resumes on_bytes and on_end, for back-pressure. Initially resumed.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  /// Sends as much of `pieces`, in order, as is possible without waiting, in as few system calls as possible,
  /// and returns the number of bytes taken. If that is less than all of them, on_writable follows, and the
  /// rest stays with the caller. After an error it takes 0 bytes, and on_error follows in a later turn. Never
  /// calls Events.
  [[nodiscard]] virtual std::size_t write(std::span<const std::string_view> pieces) = 0;

  /// Like `write`, but only within a flush (base::TurnTask): takes `frame` and leaves sending it to the
  /// deferred writes (base::DeferredWrites), which run before the same item is flushed again.
  /// on_write_incomplete follows if it is not sent completely. Until then nothing else may be written, and
  /// the stream must not be destroyed. False, without effect, if the stream cannot defer it: use `write`.
  [[nodiscard]] virtual bool write_later(base::Bytes& /*frame*/) { return false; }

  /// Ends the sending direction: sends FIN (after close_notify over TLS). Reading continues.
  virtual void shutdown() = 0;

  /// `shutdown` for a peer that sends nothing more by its protocol: if true, no event follows, whatever
  /// arrives is ignored, and nothing may be called but the destructor, so that the FIN of the peer does not
  /// wake the loop. False if that is not possible, for instance because bytes are still buffered: call
  /// `shutdown` and wait for the end of the peer.
  [[nodiscard]] virtual bool shutdown_unwatched() { return false; }

  /// Bytes taken by `write` that the kernel has not taken yet (TLS records); 0 for plain sockets.
  [[nodiscard]] virtual std::size_t buffered_bytes() const = 0;

  /// Memory for received bytes that were not delivered yet, and written bytes that were not sent yet, for
  /// net::Admission; 0 for plain sockets.
  [[nodiscard]] virtual std::size_t held_bytes() const { return 0; }

  /// Whether the connection is encrypted.
  [[nodiscard]] virtual bool is_secure() const = 0;
};

/// The origin of a connection, according to its socket or to a proxy in front.
struct Peer {
  std::string address;        ///< numeric, without port: "127.0.0.1", "::1"; "unix" for a Unix socket
  std::uint16_t port = 0;     ///< 0 for a Unix socket
  bool is_secure = false;     ///< according to a proxy, the client's connection to it is encrypted
  bool is_forwarded = false;  ///< the address was reported by a trusted proxy
  bool on_loopback = false;   ///< the listener listens on loopback addresses only
};

/// Wraps each stream that a listener accepts in another one.
class StreamWrapper {
 public:
  /// `peer` is the client's address, for the log.
  [[nodiscard]] virtual std::unique_ptr<ByteStream> wrap(std::unique_ptr<ByteStream> stream,
                                                         std::string_view peer) = 0;

 protected:
  ~StreamWrapper() = default;
};

}  // namespace roomcast::net

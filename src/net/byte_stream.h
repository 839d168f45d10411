#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace roomcast::net {

/// A connected, reliable, ordered stream of bytes: TCP, Unix socket, TLS over either, or a double in tests.
/// Everything above net/ sees only this.
///
/// Lifetime: destroying the stream closes it at once (RST or FIN as the kernel decides) and no Events method
/// is called afterwards. It must not be destroyed from inside one of its own Events calls: free its owner
/// later instead (base::Scheduler::free_later).
class ByteStream {
 public:
  class Events {
   public:
    /// Bytes arrived. The buffer is the loop's own: valid, and free to be overwritten (unmasking in place),
    /// until the call returns.
    virtual void on_bytes(std::span<char> bytes) = 0;
    /// The peer has finished sending (FIN, TLS close_notify). Writing is still possible. Called once.
    virtual void on_end() = 0;
    /// There is room again after `write` took less than it was given.
    virtual void on_writable() = 0;
    /// A `write_later` was not taken whole: `rest` is the caller's again, as with `write`; `is_started` if
    /// what was before it in the same frame has left. From within this call the stream may be destroyed.
    virtual void on_write_incomplete(base::Bytes&& /*rest*/, bool /*is_started*/) {}
    /// `held_bytes` has changed by much without a call from above.
    virtual void on_held() {}
    /// The connection is broken: reset, TLS failure, EPIPE. The last call there is. `why` is for the log.
    virtual void on_error(std::string_view why) = 0;

   protected:
    ~Events() = default;
  };

  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  /// Who is told from now on; replaces the previous listener (a hand-over after an upgrade). Reading begins
  /// with the first call. No event is delivered from within this call.
  virtual void set_events(Events& events) = 0;

  /// Stops and resumes on_bytes and on_end; for back-pressure. Starts resumed.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  /// Sends as much of `pieces`, in order, as can be taken now without waiting, in as few system calls as it
  /// can, and returns the number of bytes taken. If that is less than all of them, on_writable follows, and
  /// what was not taken stays the caller's. After an error it takes 0 and on_error follows in a later turn.
  /// Events are never called from within.
  [[nodiscard]] virtual std::size_t write(std::span<const std::string_view> pieces) = 0;

  /// In place of `write`, from a flush (base::Flushable) only: takes `frame` and leaves it to a batch, where
  /// there is one, which sends it before the next flush of the same (base::DeferredWrites).
  /// on_write_incomplete follows if that does not take it whole, else nothing. Until then nothing else may be
  /// written, nor the stream be destroyed. False if nothing has happened: write it.
  [[nodiscard]] virtual bool write_later(base::Bytes& /*frame*/) { return false; }

  /// No more bytes will be written: sends FIN (and close_notify before it). Reading goes on.
  virtual void shutdown() = 0;

  /// `shutdown` for a peer that sends nothing more by its protocol: if true, no event follows, whatever
  /// arrives is ignored, and nothing may be called but the destructor. So the peer's FIN does not wake the
  /// loop. False if that cannot be had, perhaps because bytes are still buffered: call `shutdown` and wait for
  /// the peer's end.
  [[nodiscard]] virtual bool shutdown_unwatched() { return false; }

  /// Bytes taken by `write` that the kernel has not yet got (TLS records cut short); 0 for plain sockets.
  [[nodiscard]] virtual std::size_t buffered_bytes() const = 0;

  /// Bytes of memory that hold what has come and was not handed over yet, or was taken by `write` and has not
  /// left: for net::Admission. 0 for plain sockets.
  [[nodiscard]] virtual std::size_t held_bytes() const { return 0; }

  /// Whether the bytes travel encrypted.
  [[nodiscard]] virtual bool is_secure() const = 0;
};

/// Where a connection comes from, as the socket says it.
struct Peer {
  std::string address;        ///< numeric, without port: "127.0.0.1", "::1"; "unix" for a Unix socket
  std::uint16_t port = 0;     ///< 0 for a Unix socket
  bool is_secure = false;     ///< a proxy in front says that the client's leg is encrypted
  bool is_forwarded = false;  ///< a trusted proxy in front has said so, and what the address is
  bool on_loopback = false;   ///< the listener listens on loopback addresses only
};

/// Puts another stream over each one that a listener accepts.
class StreamWrapper {
 public:
  /// `peer` is the client's address, for the log.
  [[nodiscard]] virtual std::unique_ptr<ByteStream> wrap(std::unique_ptr<ByteStream> stream,
                                                         std::string_view peer) = 0;

 protected:
  ~StreamWrapper() = default;
};

}  // namespace roomcast::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>

#include "base/deadlines.h"
#include "base/scheduler.h"
#include "net/admission.h"
#include "net/byte_stream.h"
#include "net/write_queue.h"

namespace roomcast::net {

/// Closes connections gracefully after their owner has finished with them: sends the rest of the queue, sends
/// FIN and waits for that of the peer, since closing immediately after the last bytes could destroy them in
/// transit (RFC 9112 section 9.6). Input is discarded.
class Linger final : private base::Deadline::Listener {
 public:
  struct Limits {
    std::size_t connections = 1'024;      ///< beyond it the oldest one is closed immediately
    std::size_t discard_bytes = 262'144;  ///< a peer that sends more is closed immediately
    std::int64_t timeout_ms = 5'000;      ///< in total
    // Of connections whose peer is finished, see `add_finished`.
    std::size_t finished = 16;       ///< the descriptors that are kept for other purposes have room for these
    std::int64_t finished_ms = 100;  ///< or up to twice as long
  };

  Linger(base::Scheduler& scheduler, base::Deadlines& deadlines, Limits limits);
  Linger(const Linger&) = delete;
  Linger& operator=(const Linger&) = delete;
  /// Closes all remaining connections.
  ~Linger();

  /// Takes over a connection. May be called within an event of `stream`. `peer_has_ended`: on_end was called
  /// already, so that only the sending remains.
  void add(std::unique_ptr<ByteStream> stream, WriteQueue queue, Admission admission,
           bool peer_has_ended = false);
  /// Takes over a connection that owes nothing, whose peer has announced that it sends nothing more (the
  /// Close frame of WebSocket); it is counted no longer. Sends FIN, and closes the socket a little later
  /// without having watched it: waking up for each peer's FIN would cost a quarter of a short connection. Not
  /// at once, so that a peer that goes on sending all the same gets what was sent to it, which a reset could
  /// destroy. Must not be called from within an event of `stream`.
  void add_finished(std::unique_ptr<ByteStream> stream, Admission admission);
  [[nodiscard]] std::size_t size() const { return closing_.size(); }

 private:
  class Closing;
  using List = std::list<std::unique_ptr<Closing>>;
  void finish(List::iterator closing);
  void on_deadline() override;

  base::Scheduler& scheduler_;
  base::Deadlines& deadlines_;
  Limits limits_;
  List closing_;                                      // oldest first
  std::deque<std::unique_ptr<ByteStream>> finished_;  // oldest first
  std::size_t finished_before_ = 0;                   // of them, were there at the last look
  base::Deadline look_;
};

}  // namespace roomcast::net

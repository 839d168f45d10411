#pragma once

#include <cstddef>
#include <cstdint>
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
class Linger {
 public:
  struct Limits {
    std::size_t connections = 1'024;      ///< beyond it the oldest one is closed immediately
    std::size_t discard_bytes = 262'144;  ///< a peer that sends more is closed immediately
    std::int64_t timeout_ms = 5'000;      ///< in total
    std::int64_t finished_ms = 100;       ///< for a peer that is finished, see `add_finished`
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
  /// The same for a connection that owes nothing, and whose peer has announced that it sends nothing more
  /// (the Close frame of WebSocket). FIN is sent and the socket closed `finished_ms` later, without watching
  /// it: to be woken for each peer's FIN costs a quarter of a short connection. A peer that goes on sending
  /// all the same does not lose what was sent to it, which a reset would destroy. Meanwhile the connection
  /// makes room for others where a cap is reached (net::Wait::next_request).
  void add_finished(std::unique_ptr<ByteStream> stream, Admission admission);
  [[nodiscard]] std::size_t size() const { return closing_.size() + finished_.size(); }

 private:
  class Closing;
  using List = std::list<std::unique_ptr<Closing>>;
  Closing& insert(List& list, std::unique_ptr<Closing> added);
  void finish(List& list, List::iterator closing);

  base::Scheduler& scheduler_;
  base::Deadlines& deadlines_;
  Limits limits_;
  List closing_;   // oldest first
  List finished_;  // oldest first; apart, since there may be thousands of these in a second
};

}  // namespace roomcast::net

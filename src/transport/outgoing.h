#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "net/byte_stream.h"
#include "net/write_queue.h"

namespace roomcast::transport {

/// The output of all clients of one transport.
struct OutgoingStats {
  std::uint64_t wire_bytes_out = 0;
  std::size_t queued_bytes = 0;  ///< not yet taken by the kernel
};

/// The output of one connection: queued, written, counted, and compared with a limit. The stats are passed to
/// each call instead of kept: an idle connection should not pay for a pointer. Inline, since a delivery goes
/// through it.
class Outgoing {
 public:
  Outgoing(net::WriteQueue&& unsent, OutgoingStats& stats) : queue_(std::move(unsent)) {
    stats.queued_bytes += queue_.bytes();
  }
  /// Takes what is queued out of `stats`; before destruction.
  void leave(OutgoingStats& stats) const { stats.queued_bytes -= queue_.bytes(); }

  [[nodiscard]] std::size_t bytes() const { return queue_.bytes(); }
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  [[nodiscard]] std::size_t held_bytes() const { return queue_.held_bytes(); }
  /// Written so far.
  [[nodiscard]] std::uint64_t wire_bytes() const { return wire_bytes_; }

  void push(const base::Bytes& frame, OutgoingStats& stats) {
    stats.queued_bytes += frame.size();
    queue_.push(frame);
  }
  /// See net::WriteQueue::push_urgent, which may drop an older frame.
  void push_urgent(const base::Bytes& frame, OutgoingStats& stats) {
    stats.queued_bytes -= queue_.bytes();
    queue_.push_urgent(frame);
    stats.queued_bytes += queue_.bytes();
  }
  /// Forgets all but the rest of a frame already partly written.
  void drop_unsent(OutgoingStats& stats) {
    stats.queued_bytes -= queue_.bytes();
    queue_.drop_unsent();
    stats.queued_bytes += queue_.bytes();
  }

  /// See net::WriteQueue::write_later. Returns how much is left to the batch, which counts as written
  /// (count_written); 0 if nothing has happened.
  [[nodiscard]] std::size_t write_later(net::ByteStream& stream) {
    const std::size_t bytes = queue_.bytes();
    return queue_.write_later(stream) ? bytes : 0;
  }
  /// After write_later: the stats are not looked up before it.
  void count_written(std::size_t bytes, OutgoingStats& stats) {
    wire_bytes_ += bytes;
    stats.wire_bytes_out += bytes;
    stats.queued_bytes -= bytes;
  }
  /// See net::WriteQueue::flush_some.
  net::WriteQueue::Flushed write(net::ByteStream& stream, OutgoingStats& stats) {
    const std::size_t waiting = queue_.bytes();
    const auto result = queue_.flush_some(stream);
    count_written(waiting - queue_.bytes(), stats);
    return result;
  }
  /// Takes back what the batch did not write; see net::WriteQueue::put_back.
  void put_back(base::Bytes&& rest, bool is_started, OutgoingStats& stats) {
    wire_bytes_ -= rest.size();
    stats.wire_bytes_out -= rest.size();
    stats.queued_bytes += rest.size();
    queue_.put_back(std::move(rest), is_started);
  }

  enum class Pressure : std::uint8_t {
    none,
    congested,  ///< more than a quarter of the limit is queued
    exceeded,   ///< more than the limit, and the stream takes no more
  };
  /// Of what is left after a write with this result.
  [[nodiscard]] Pressure pressure(net::WriteQueue::Flushed result, std::size_t limit_bytes) const {
    if (result == net::WriteQueue::Flushed::blocked && queue_.exceeds(limit_bytes)) return Pressure::exceeded;
    return queue_.bytes() > limit_bytes / 4 ? Pressure::congested : Pressure::none;
  }

 private:
  net::WriteQueue queue_;
  std::uint64_t wire_bytes_ = 0;
};

}  // namespace roomcast::transport

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/byte_stream.h"

namespace roomcast::net {

/// What is owed to one connection, in order. A queue of no more than one frame owns no memory but itself, so
/// that neither an idle connection nor one frame a turn costs an allocation.
///
/// Every operation takes constant time however long the queue is (amortised, flushing apart), and what it
/// holds of memory is in proportion to its bytes: small frames are copied together, and so are those that
/// would keep a much larger block alive.
class WriteQueue {
 public:
  /// Urgent frames that can wait. A further one takes the place of the last: of many pings only the latest
  /// need be answered (RFC 6455 section 5.5.3).
  static constexpr std::size_t urgent_max = 32;
  /// What flush_some writes at the most.
  static constexpr std::size_t some_bytes = 131'072;

  /// Appends `frame`; joined to the last one if they lie side by side in memory (and that has not grown past
  /// 16 KiB, so that urgent frames are not held up long).
  void push(const base::Bytes& frame) {
    if (empty()) {
      only_ = frame;
    } else {
      append(frame);
    }
  }
  /// Puts `frame` before everything but a frame already partly sent and earlier urgent ones: for pings and
  /// pongs.
  void push_urgent(const base::Bytes& frame);
  /// Writes as much as `stream` takes, in one call where possible. True when nothing is left.
  bool flush(ByteStream& stream) {
    if (backlog_) return flush_backlog(stream);
    if (only_.empty()) return true;
    const std::string_view whole = only_.view();
    const std::size_t sent = stream.write({&whole, 1});
    if (sent != whole.size()) return keep_rest(sent);
    only_.reset();
    return true;
  }

  enum class Flushed : std::uint8_t {
    all,      ///< nothing is left
    blocked,  ///< the stream takes no more for now, and will say when it does
    more,     ///< some_bytes have been written; the rest is for another turn
  };
  /// The same, but no more than some_bytes, so that one connection's backlog doesn't make the others wait.
  Flushed flush_some(ByteStream& stream) {
    if (!backlog_ && only_.size() <= some_bytes) return flush(stream) ? Flushed::all : Flushed::blocked;
    return flush_part(stream);
  }

  /// Leaves what is owed to the stream's batch (see ByteStream::write_later), in place of flush. False if it
  /// is not a single frame of at most 64 KiB or the stream has no batch: nothing has happened.
  [[nodiscard]] bool write_later(ByteStream& stream) {
    constexpr std::size_t deferred_bytes_max = 65'536 + 256;
    return !backlog_ && !only_.empty() && only_.size() <= deferred_bytes_max && stream.write_later(only_);
  }
  /// Puts what the batch did not get rid of back before all else; `started` if the other part of it is sent.
  void put_back(base::Bytes&& rest, bool started);
  /// Forgets everything but the rest of a frame already partly sent.
  void drop_unsent();
  [[nodiscard]] std::size_t bytes() const { return backlog_ ? backlog_->bytes : only_.size(); }
  [[nodiscard]] bool empty() const { return bytes() == 0; }
  /// What all this takes of memory, blocks that others share included.
  [[nodiscard]] std::size_t held_bytes() const;
  /// Whether more than `limit_bytes` wait, or what waits takes of memory clearly more than that.
  [[nodiscard]] bool exceeds(std::size_t limit_bytes) const {
    constexpr std::size_t slack_bytes = 4'096;
    return bytes() > limit_bytes || (backlog_ && held_bytes() > limit_bytes + limit_bytes / 4 + slack_bytes);
  }

 private:
  struct Backlog {
    base::Bytes started;              // rest of a frame partly sent: goes before all else
    std::vector<base::Bytes> urgent;  // then these
    std::vector<base::Bytes> frames;  // then those from `front` on; the ones before it are sent
    std::size_t front = 0;
    std::size_t bytes = 0;
    std::size_t blocks = 0;  // held by frames
  };

  void append(const base::Bytes& frame);
  static void append_to(Backlog& queue, const base::Bytes& frame);
  Backlog& backlog();
  bool keep_rest(std::size_t sent);
  bool flush_backlog(ByteStream& stream);
  Flushed flush_part(ByteStream& stream);
  /// Offers at most `most` bytes; how many were offered, and taken.
  struct Written {
    std::size_t offered = 0;
    std::size_t taken = 0;
  };
  Written write_some(ByteStream& stream, std::size_t most);
  void remove_sent(std::size_t count);
  static std::size_t remove_sent_urgent(Backlog& queue, std::size_t count);
  static void remove_sent_frames(Backlog& queue, std::size_t count);

  base::Bytes only_;  // used while there is no backlog
  std::unique_ptr<Backlog> backlog_;
};

}  // namespace roomcast::net

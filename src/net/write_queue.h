#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/byte_stream.h"

namespace roomcast::net {

/// The output queue of one connection. A queue of at most one frame owns no other memory, so that neither an
/// idle connection nor one frame per turn costs an allocation.
///
/// All operations take amortised constant time regardless of the length (except flushing), and the memory
/// held is proportional to the bytes: small frames are copied together, and so are frames that would keep a
/// much larger block alive.
class WriteQueue {
 public:
  /// The number of urgent frames that can be queued. A further one replaces the last: of many pings only the
  /// latest needs an answer (RFC 6455 section 5.5.3).
  static constexpr std::size_t urgent_max = 32;
  /// The most that flush_some writes.
  static constexpr std::size_t some_bytes = 131'072;

  /// Appends `frame`; merged with the last one if they are adjacent in memory (and it has not grown past 16
  /// KiB, so that urgent frames are not delayed).
  void push(const base::Bytes& frame) {
    if (empty()) {
      only_ = frame;
    } else {
      append(frame);
    }
  }
  /// Inserts `frame` after a frame that is partly sent and earlier urgent ones, before all others: for pings
  /// and pongs.
  void push_urgent(const base::Bytes& frame);
  /// Writes as much as `stream` takes, if possible in one call. True if the queue is empty afterwards.
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
    blocked,  ///< the stream takes no more; on_writable will follow
    more,     ///< some_bytes were written; the rest is for another turn
  };
  /// Like flush, but at most some_bytes, so that one backlog does not delay other connections.
  Flushed flush_some(ByteStream& stream) {
    if (!backlog_ && only_.size() <= some_bytes) return flush(stream) ? Flushed::all : Flushed::blocked;
    return flush_part(stream);
  }

  /// Defers the write of the queue (see ByteStream::write_later), instead of flush. False, without effect, if
  /// it is not a single frame of at most 64 KiB or the stream cannot defer it.
  [[nodiscard]] bool write_later(ByteStream& stream) {
    constexpr std::size_t deferred_bytes_max = 65'536 + 256;
    return !backlog_ && !only_.empty() && only_.size() <= deferred_bytes_max && stream.write_later(only_);
  }
  /// Returns the unsent rest of a deferred write to the front of the queue; `started` if a part of it was
  /// sent.
  void put_back(base::Bytes&& rest, bool started);
  /// Drops everything except the rest of a frame that is partly sent.
  void drop_unsent();
  [[nodiscard]] std::size_t bytes() const { return backlog_ ? backlog_->bytes : only_.size(); }
  [[nodiscard]] bool empty() const { return bytes() == 0; }
  /// The memory held, including blocks that are shared with other queues.
  [[nodiscard]] std::size_t held_bytes() const;
  /// Whether more than `limit_bytes` are queued, or the memory held clearly exceeds that.
  [[nodiscard]] bool exceeds(std::size_t limit_bytes) const {
    constexpr std::size_t slack_bytes = 4'096;
    return bytes() > limit_bytes || (backlog_ && held_bytes() > limit_bytes + limit_bytes / 4 + slack_bytes);
  }

 private:
  struct Backlog {
    base::Bytes started;              // the rest of a frame that is partly sent: goes first
    std::vector<base::Bytes> urgent;  // then these
    std::vector<base::Bytes> frames;  // then these from `front` on; those before it are sent
    std::size_t front = 0;
    std::size_t bytes = 0;
    std::size_t blocks = 0;  // memory of the blocks of `frames`
  };

  void append(const base::Bytes& frame);
  static void append_to(Backlog& queue, const base::Bytes& frame);
  Backlog& backlog();
  bool keep_rest(std::size_t sent);
  bool flush_backlog(ByteStream& stream);
  Flushed flush_part(ByteStream& stream);
  /// Offers at most `most` bytes to the stream; returns the number of bytes offered and taken.
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

#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/frame.h"
#include "net/byte_stream.h"

namespace roomcast::net {

/// What is owed to one connection, in order. A queue of no more than one frame owns no memory but itself, so
/// that neither an idle connection nor one frame a turn costs an allocation.
class WriteQueue {
 public:
  /// Appends `frame`; joined to the last one if they lie side by side in memory (and that has not grown past
  /// 16 KiB, so that urgent frames are not held up long).
  void push(const base::FrameRef& frame) {
    if (empty()) {
      only_ = frame;
    } else {
      append(frame);
    }
  }
  /// Puts `frame` before everything but a frame already partly sent and earlier urgent ones: for pings,
  /// pongs and closes.
  void push_urgent(const base::FrameRef& frame);
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
  /// Leaves what is owed to the stream's batch (see ByteStream::post), in place of flush. False if it is not
  /// a single frame or the stream has no batch: nothing has happened.
  [[nodiscard]] bool post(ByteStream& stream) { return !backlog_ && !only_.empty() && stream.post(only_); }
  /// Puts what the batch did not get rid of back before all else; `started` if the other part of it is sent.
  void put_back(base::FrameRef&& rest, bool started);
  /// Forgets everything but the rest of a frame already partly sent.
  void drop_unsent();
  [[nodiscard]] std::size_t bytes() const { return backlog_ ? backlog_->bytes : only_.size(); }
  [[nodiscard]] bool empty() const { return bytes() == 0; }

 private:
  struct Backlog {
    std::vector<base::FrameRef> frames;
    std::size_t front = 0;   // frames before it are sent
    std::size_t urgent = 0;  // how many urgent ones stand next, behind the one partly sent
    std::size_t bytes = 0;
    bool front_started = false;  // the front frame is partly sent
  };

  void append(const base::FrameRef& frame);
  Backlog& backlog();
  bool keep_rest(std::size_t sent);
  bool flush_backlog(ByteStream& stream);
  void remove_sent(std::size_t count);

  base::FrameRef only_;  // used while there is no backlog
  std::unique_ptr<Backlog> backlog_;
};

}  // namespace roomcast::net

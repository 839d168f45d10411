#pragma once

#include <cstddef>
#include <vector>

#include "base/frame.h"
#include "net/byte_stream.h"

namespace roomcast::net {

/// What is owed to one connection, in order. An empty queue owns no memory but itself.
class WriteQueue {
 public:
  /// Appends `frame`; joined to the last one if they lie side by side in memory (and that has not grown past
  /// 16 KiB, so that urgent frames are not held up long).
  void push(const base::FrameRef& frame);
  /// Puts `frame` before everything but a frame already partly sent: for pings, pongs and closes.
  void push_urgent(const base::FrameRef& frame);
  /// Writes as much as `stream` takes, in one call where possible. True when nothing is left.
  bool flush(ByteStream& stream);
  /// Forgets everything but the rest of a frame already partly sent.
  void drop_unsent();
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0; }

 private:
  std::vector<base::FrameRef> frames_;
  std::size_t bytes_ = 0;
  bool front_started_ = false;
};

}  // namespace roomcast::net

#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/scheduler.h"
#include "net/io_buffers.h"

namespace roomcast::net {

class SocketStream;

/// The writes of many sockets, made one right after the other. A send runs through so much of the kernel that
/// little of what is ours is left in the processor's first caches after it. So first everybody says what
/// there is to send, then a loop of a few lines sends it all, and only those hear of it whose bytes the
/// kernel did not take.
class SendBatch final : public base::DeferredWrites {
 public:
  explicit SendBatch(IoBuffers& buffers) : buffers_(buffers) {}
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  /// See ByteStream::write_later. False if it is full.
  [[nodiscard]] bool add(SocketStream& stream, int descriptor, base::Bytes& frame) {
    if (size_ == entries_.size()) return false;
    Entry& entry = entries_[size_++];
    entry.frame.swap(frame);
    entry.stream = &stream;
    entry.descriptor = descriptor;
    return true;
  }
  void send_all() override;
  /// Whether the stream has something in it.
  [[nodiscard]] bool holds(const SocketStream& stream) const;

 private:
  struct Entry {
    base::Bytes frame;
    SocketStream* stream = nullptr;
    int descriptor = -1;
    bool is_started = false;  // part of the frame has been sent, and `frame` is what is left of it
  };

  void send(Entry& entry);

  IoBuffers& buffers_;
  std::array<Entry, 64> entries_;  // the first size_ are in use, the others hold no frame
  std::size_t size_ = 0;
};

/// One send(2) of `bytes` that does not wait: what the kernel took, or -1 with errno.
[[nodiscard]] ssize_t send_bytes(IoBuffers& buffers, int descriptor, std::string_view bytes);

}  // namespace roomcast::net

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

/// The deferred writes of sockets, made one right after the other. A send runs through so much kernel code
/// that little of our own is left in the processor's caches. So the items are flushed first and only note
/// what to send, then a small loop sends everything, and only streams whose data was not taken completely are
/// called.
class DeferredSends final : public base::DeferredWrites {
 public:
  explicit DeferredSends(IoBuffers& buffers) : buffers_(buffers) {}
  DeferredSends(const DeferredSends&) = delete;
  DeferredSends& operator=(const DeferredSends&) = delete;

  /// Takes over `frame` of `stream`; see ByteStream::write_later. False if it is full.
  [[nodiscard]] bool add(SocketStream& stream, int descriptor, base::Bytes& frame) {
    if (size_ == entries_.size()) return false;
    Entry& entry = entries_[size_++];
    entry.frame.swap(frame);
    entry.stream = &stream;
    entry.descriptor = descriptor;
    return true;
  }
  void send_all() override;
  /// Whether a write of `stream` is pending.
  [[nodiscard]] bool holds(const SocketStream& stream) const;

 private:
  struct Entry {
    base::Bytes frame;
    SocketStream* stream = nullptr;
    int descriptor = -1;
    bool is_started = false;  // part of the frame was sent; `frame` is the rest
  };

  void send(Entry& entry);

  IoBuffers& buffers_;
  std::array<Entry, 64> entries_;  // the first size_ are in use, the others hold no frame
  std::size_t size_ = 0;
};

/// One non-blocking send(2) of `bytes`: the number of bytes taken, or -1 with errno.
[[nodiscard]] ssize_t send_bytes(IoBuffers& buffers, int descriptor, std::string_view bytes);

}  // namespace roomcast::net

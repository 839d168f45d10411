#include "net/send_batch.h"

#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <utility>

#include "net/socket_stream.h"

namespace roomcast::net {

void SendBatch::send_all() {
  const auto entries = std::span(entries_).first(size_);
  for (Entry& entry : entries) {
    entry.sent = send_bytes(buffers_, entry.descriptor, entry.frame.view());
    if (entry.sent < 0) entry.error = errno;
  }
  for (Entry& entry : entries) {
    const std::size_t gone = entry.stream->taken(entry.frame.size(), entry.sent, entry.error);
    if (gone == entry.frame.size()) {
      entry.frame.reset();
    } else {
      entry.frame.drop_front(gone);
    }
    entry.stream->events_->on_sent(gone, std::move(entry.frame));
    entry.frame.reset();
  }
  size_ = 0;
}

ssize_t send_bytes([[maybe_unused]] IoBuffers& buffers, int descriptor, std::string_view bytes) {
#ifdef ROOMCAST_CHAOS
  bytes = bytes.substr(0, buffers.random_up_to(bytes.size()));
#endif
  ssize_t sent = 0;
  do {
    sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace roomcast::net

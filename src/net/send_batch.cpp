#include "net/send_batch.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/socket_stream.h"

namespace roomcast::net {

void SendBatch::add(SocketStream& stream, int descriptor, base::FrameRef&& frame) {
  entries_.push_back({std::move(frame), &stream, descriptor});
}

void SendBatch::send_all() {
  for (Entry& entry : entries_) {
    entry.sent = send_bytes(buffers_, entry.descriptor, entry.frame.view());
    if (entry.sent < 0) entry.error = errno;
  }
  for (Entry& entry : entries_)
    entry.stream->on_batch_sent(std::move(entry.frame), entry.sent, entry.error);
  entries_.clear();
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

#include "net/deferred_sends.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "net/socket_stream.h"

namespace roomcast::net {

void DeferredSends::send_all() {
  const auto entries = std::span(entries_).first(size_);
  bool all_sent = true;
  for (Entry& entry : entries) {
    send(entry);
    all_sent = all_sent && entry.frame.empty();
  }
  size_ = 0;
  if (all_sent) return;
  for (Entry& entry : entries) {
    if (entry.frame.empty()) continue;
    entry.stream->events_->on_write_incomplete(std::move(entry.frame), entry.is_started);
    entry.frame.reset();
  }
}

bool DeferredSends::holds(const SocketStream& stream) const {
  const auto entries = std::span(entries_).first(size_);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Entry& entry) { return entry.stream == &stream; });
}

void DeferredSends::send(Entry& entry) {
  const std::string_view bytes = entry.frame.view();
  const ssize_t sent = send_bytes(buffers_, entry.descriptor, bytes);
  if (sent == static_cast<ssize_t>(bytes.size())) {
    entry.frame.reset();
  } else {
    entry.is_started = sent > 0;
    entry.frame.drop_front(entry.stream->cut_short(sent, errno));
  }
}

ssize_t send_bytes(IoBuffers& buffers, int descriptor, std::string_view bytes) {
  bytes = bytes.substr(0, buffers.chaos().up_to(bytes.size()));
  ssize_t sent = 0;
  do {
    sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace roomcast::net

#include "net/socket_stream.h"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include "net/gather.h"

namespace roomcast::net {

namespace {

std::string describe_error(int error) { return std::generic_category().message(error); }

using Place = loop::Poller::Place;

constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

/// Sends the buffers; returns the number of bytes taken, or -1 with errno.
ssize_t send_buffers(int socket, std::span<iovec> buffers) {
  msghdr message{};
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, send_flags);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

base::Result<std::unique_ptr<ByteStream>> SocketStream::adopt(SocketShared& shared, FileDescriptor socket) {
  std::unique_ptr<SocketStream> stream(new SocketStream(shared, std::move(socket)));
  // When many sockets are ready, known clients do not wait for newcomers.
  const Place place = shared.poller.is_busy() ? Place::behind : Place::in_front;
  const int error = shared.poller.add(*stream, {true, false}, place);
  if (error != 0) return base::Error{"cannot watch a socket: " + describe_error(error)};
  return std::unique_ptr<ByteStream>(std::move(stream));
}

SocketStream::SocketStream(SocketShared& shared, FileDescriptor socket)
    : socket_(std::move(socket)), shared_(shared) {
  static_assert(sizeof(SocketStream) <= 40, "every connection pays for this");
}

SocketStream::~SocketStream() {
  assert(!shared_.deferred_sends.holds(*this));
  shared_.poller.forget(*this);
}

void SocketStream::set_events(Events& events) {
  events_ = &events;
  watch();
}

void SocketStream::pause_reading() {
  paused_ = true;
  watch();
}

void SocketStream::resume_reading() {
  paused_ = false;
  watch();
}

std::size_t SocketStream::write(std::span<const std::string_view> pieces) {
  assert(!shared_.deferred_sends.holds(*this));
  if (error_ != 0 || blocked_) return 0;
  if (pieces.size() == 1) return send_one(pieces.front());
  return send_many(pieces);
}

bool SocketStream::write_later(base::Bytes& frame) {
  assert(!shared_.deferred_sends.holds(*this));
  return error_ == 0 && !blocked_ && shared_.deferred_sends.add(*this, socket_.number(), frame);
}

std::size_t SocketStream::send_one(std::string_view piece) {
  const ssize_t sent = send_bytes(shared_.buffers, socket_.number(), piece);
  return sent == static_cast<ssize_t>(piece.size()) ? piece.size() : cut_short(sent, errno);
}

std::size_t SocketStream::send_many(std::span<const std::string_view> pieces) {
  Gather gather(pieces, shared_.buffers.joining());
  std::size_t taken = 0;
  for (;;) {
    const Gather::Parts parts = gather.next();
    if (parts.bytes == 0) return taken;
    auto buffers = parts.buffers;
    if (shared_.buffers.chaos().is_on()) {
      buffers = buffers.first(1);
      buffers.front().iov_len = shared_.buffers.chaos().up_to(buffers.front().iov_len);
    }
    const ssize_t sent = send_buffers(socket_.number(), buffers);
    if (sent != static_cast<ssize_t>(parts.bytes)) return taken + cut_short(sent, errno);
    taken += parts.bytes;
  }
}

std::size_t SocketStream::cut_short(ssize_t sent, int error) {
  if (sent >= 0 || error == EAGAIN || error == EWOULDBLOCK) {
    blocked_ = true;
  } else {
    // A broken socket is always ready: on_error is called in the next turn.
    error_ = static_cast<std::uint16_t>(error);
  }
  watch();
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void SocketStream::shutdown() {
  // If both sides have ended, the close that follows is sufficient.
  if (!ended_) (void)::shutdown(socket_.number(), SHUT_WR);
}

bool SocketStream::shutdown_unwatched() {
  shutdown();
  dead_ = true;
  shared_.poller.remove(*this);
  return true;
}

void SocketStream::watch() {
  if (events_ == nullptr || dead_) return;
  shared_.poller.change(*this, {!paused_ && !ended_, blocked_ || error_ != 0});
}

void SocketStream::on_ready(loop::Readiness ready) {
  // Not watched until set_events.
  if (events_ == nullptr) return shared_.poller.change(*this, {});
  if (ready.failed || error_ != 0) return on_socket_error();
  if (ready.readable) (void)read_once();
  if (ready.writable && blocked_) take_back_writable();
}

void SocketStream::on_socket_error() {
  // Data that arrived before the error is read first, in this turn and the next ones; the read after it
  // returns the error.
  if (!paused_ && !ended_ && read_once()) return;
  int error = error_;
  if (error != 0) return fail(error);
  socklen_t size = sizeof error;
  (void)::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &size);
  fail(error != 0 ? error : ECONNRESET);
}

bool SocketStream::read_once() {
  auto buffer = shared_.buffers.reading();
  // When many sockets are ready, little is read of each, and those that send more are served behind the
  // others while they do: otherwise a thousand uploads would delay every other client by 16 MB in each round.
  constexpr std::size_t busy_bytes = 16'384;
  const bool is_busy = shared_.poller.is_busy();
  if (is_busy) buffer = buffer.first(busy_bytes);
  const std::size_t wanted = buffer.size();
  if (shared_.buffers.chaos().is_on()) buffer = buffer.first(shared_.buffers.chaos().up_to(7));
  const ssize_t count = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count > 0) {
    const bool has_more = static_cast<std::size_t>(count) == wanted;
    if (has_more ? is_busy : loop::Poller::place_of(*this) == Place::behind)
      shared_.poller.move(*this, has_more ? Place::behind : Place::in_front);
    events_->on_bytes(buffer.first(static_cast<std::size_t>(count)));
  } else if (count == 0) {
    ended_ = true;
    watch();
    events_->on_end();
  } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return false;
  } else {
    fail(errno);
  }
  return true;
}

void SocketStream::take_back_writable() {
  blocked_ = false;
  watch();
  events_->on_writable();
}

void SocketStream::fail(int error) {
  error_ = static_cast<std::uint16_t>(error);
  dead_ = true;
  blocked_ = false;
  shared_.poller.change(*this, {});
  events_->on_error(describe_error(error));
}

}  // namespace roomcast::net

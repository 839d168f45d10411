#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/poller.h"
#include "net/byte_stream.h"
#include "net/deferred_sends.h"
#include "net/file_descriptor.h"
#include "net/io_buffers.h"

namespace roomcast::net {

/// Shared by all socket streams of a loop; outlives them.
struct SocketShared {
  explicit SocketShared(loop::Loop& loop) : poller(loop) {}

  loop::Poller poller;
  IoBuffers buffers;
  DeferredSends deferred_sends{buffers};
};

/// A connected TCP or Unix socket. Reads and writes the descriptor itself when the poller reports it ready;
/// one read per readiness and turn, so that a fast sender does not starve others.
///
/// While reading is paused, or after the end of the peer, and nothing waits to be written, the socket is not
/// watched: a broken connection is then noticed by the next write or by resuming.
class SocketStream final : public ByteStream, private loop::Pollable {
 public:
  /// Takes over the connected `socket`.
  [[nodiscard]] static base::Result<std::unique_ptr<ByteStream>> adopt(SocketShared& shared,
                                                                       FileDescriptor socket);
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;
  ~SocketStream() override;

  void set_events(Events& events) override;
  void pause_reading() override;
  void resume_reading() override;
  [[nodiscard]] std::size_t write(std::span<const std::string_view> pieces) override;
  [[nodiscard]] bool write_later(base::Bytes& frame) override;
  void shutdown() override;
  [[nodiscard]] bool shutdown_unwatched() override;
  [[nodiscard]] std::size_t buffered_bytes() const override { return 0; }
  [[nodiscard]] bool is_secure() const override { return false; }

 private:
  friend class DeferredSends;
  SocketStream(SocketShared& shared, FileDescriptor socket);

  std::size_t send_one(std::string_view piece);
  std::size_t send_many(std::span<const std::string_view> pieces);
  /// Handles a send that took only a part, or failed (negative, with `error`): returns the number of bytes
  /// taken.
  std::size_t cut_short(ssize_t sent, int error);
  void on_ready(loop::Readiness ready) override;
  [[nodiscard]] int descriptor() const override { return socket_.number(); }
  void on_socket_error();
  /// Reads once. False if there was nothing to read.
  bool read_once();
  void take_back_writable();
  void watch();
  void fail(int error);

  bool paused_ : 1 = false;
  bool ended_ : 1 = false;    // the peer has ended: nothing is left to read
  bool dead_ : 1 = false;     // on_error was called, or shutdown_unwatched has succeeded
  bool blocked_ : 1 = false;  // the last write was incomplete; on_writable is to follow
  std::uint16_t error_ = 0;   // errno of the failure of the connection
  FileDescriptor socket_;
  SocketShared& shared_;
  Events* events_ = nullptr;
};

}  // namespace roomcast::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "loop/handle.h"
#include "loop/loop.h"
#include "net/byte_stream.h"
#include "net/file_descriptor.h"
#include "net/io_buffers.h"

struct uv_poll_s;

namespace roomcast::net {

/// A connected TCP or Unix socket. Reads and writes the descriptor itself and uses libuv only to learn when
/// it is ready; one read per readiness and turn, so that a fast sender does not starve the others.
///
/// While reading is paused, or after the peer's end, and nothing waits to be written, the socket is not
/// watched: that the connection broke is then noticed by the next write or by resuming.
class SocketStream final : public ByteStream {
 public:
  /// Takes over `socket`, connected. `buffers` must outlive the stream.
  [[nodiscard]] static base::Result<std::unique_ptr<ByteStream>> adopt(loop::Loop& loop, IoBuffers& buffers,
                                                                       FileDescriptor socket);
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;
  ~SocketStream() override;

  void set_events(Events& events) override;
  void pause_reading() override;
  void resume_reading() override;
  [[nodiscard]] std::size_t write(std::span<const std::string_view> pieces) override;
  void shutdown() override;
  [[nodiscard]] std::size_t buffered_bytes() const override { return 0; }
  [[nodiscard]] bool is_secure() const override { return false; }

 private:
  SocketStream(IoBuffers& buffers, FileDescriptor socket);

  static void on_ready(uv_poll_s* handle, int status, int ready) noexcept;
  void on_socket_error();
  /// False if there was nothing to read.
  bool read_once();
  void take_back_writable();
  void watch();
  void fail(int error);

  Events* events_ = nullptr;
  IoBuffers& buffers_;
  FileDescriptor socket_;    // before poll_: libuv lets go of the descriptor before it is closed
  std::uint16_t error_ = 0;  // errno of what broke the connection
  bool paused_ : 1 = false;
  bool ended_ : 1 = false;        // the peer has: nothing to read any more
  bool dead_ : 1 = false;         // on_error was called
  bool blocked_ : 1 = false;      // the last write was cut short and on_writable is owed
  std::uint8_t watched_ : 2 = 0;  // what poll_ waits for
  loop::Handle<uv_poll_s> poll_;
};

}  // namespace roomcast::net

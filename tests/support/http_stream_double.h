#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "net/byte_stream.h"

namespace roomcast::test {

/// The state of a stream as seen by a test; outlives the stream.
struct StreamRecord {
  std::string written;
  std::size_t room = std::numeric_limits<std::size_t>::max();  ///< bytes that `write` still takes
  net::ByteStream::Events* events = nullptr;
  bool paused = false;
  bool shut_down = false;
  bool destroyed = false;

  /// The client sends; the bytes are dropped if the server has paused or closed.
  void send(std::string_view bytes) {
    std::string buffer(bytes);
    if (events != nullptr && !destroyed) events->on_bytes(std::span<char>(buffer.data(), buffer.size()));
  }
  void end() const {
    if (events != nullptr && !destroyed) events->on_end();
  }
  /// The client reads: `more` bytes can be written.
  void make_room(std::size_t more) {
    room = more;
    if (!destroyed) events->on_writable();
  }
  std::string take() {
    std::string taken;
    taken.swap(written);
    return taken;
  }
};

/// A stream in memory whose other end is a StreamRecord.
class StreamDouble final : public net::ByteStream {
 public:
  explicit StreamDouble(StreamRecord& record, bool secure = false) : record_(record), secure_(secure) {}
  ~StreamDouble() override { record_.destroyed = true; }

  void set_events(Events& events) override { record_.events = &events; }
  void pause_reading() override { record_.paused = true; }
  void resume_reading() override { record_.paused = false; }
  std::size_t write(std::span<const std::string_view> pieces) override {
    std::size_t taken = 0;
    for (const auto piece : pieces) {
      const std::size_t part = std::min(piece.size(), record_.room);
      record_.written.append(piece.substr(0, part));
      record_.room -= part;
      taken += part;
      if (part < piece.size()) break;
    }
    return taken;
  }
  void shutdown() override { record_.shut_down = true; }
  [[nodiscard]] std::size_t buffered_bytes() const override { return 0; }
  [[nodiscard]] bool is_secure() const override { return secure_; }

 private:
  StreamRecord& record_;
  bool secure_;
};

}  // namespace roomcast::test

#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "net/byte_stream.h"

namespace roomcast::test {

/// A ByteStream without a socket, whose far end the test controls.
///
///   MemoryWire wire;
///   Something something(wire.make_stream());
///   wire.send("bytes from the peer");          // on_bytes, at once
///   CHECK(wire.take_received() == "answer");   // what was written
///   wire.set_room(3);                          // write takes three more bytes, then is short
///   wire.set_room(100);                        // … and on_writable
///
/// Bytes that the peer sends before set_events, or while reading is paused, wait for `deliver`. Events are
/// only called within calls of the test. The stream may outlive the wire and vice versa.
class MemoryWire {
 public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  explicit MemoryWire(bool is_secure = false) : state_(std::make_shared<State>()) {
    state_->is_secure = is_secure;
  }

  /// The stream for the code under test; call once.
  [[nodiscard]] std::unique_ptr<net::ByteStream> make_stream() {
    state_->is_open = true;
    return std::make_unique<Stream>(state_);
  }

  // Actions of the peer.

  void send(std::string_view bytes) {
    state_->incoming.append(bytes);
    deliver();
  }
  /// The peer ends its sending direction, after what it has sent.
  void end() {
    state_->has_end = true;
    deliver();
  }
  /// The connection breaks.
  void fail(std::string why) {
    state_->error = std::move(why);
    deliver();
  }
  /// Delivers pending bytes, at most `chunk` per call of on_bytes.
  void deliver(std::size_t chunk = unlimited) {
    State& s = *state_;
    while (s.can_read() && !s.incoming.empty()) {
      std::string bytes = s.incoming.substr(0, chunk);
      s.incoming.erase(0, bytes.size());
      s.events->on_bytes(bytes);
    }
    if (s.can_read() && s.has_end && !s.end_told) {
      s.end_told = true;
      s.events->on_end();
    }
    if (s.is_open && s.events != nullptr && s.error && !s.error_told) {
      s.error_told = true;
      s.events->on_error(*s.error);
    }
  }
  /// The number of bytes that `write` still takes; calls on_writable if required.
  void set_room(std::size_t bytes) {
    State& s = *state_;
    s.room = bytes;
    if (bytes == 0 || !s.blocked || !s.is_open || s.events == nullptr || s.error) return;
    s.blocked = false;
    s.events->on_writable();
  }

  /// From now on the stream has `shutdown_unwatched`.
  void allow_unwatched() { state_->may_be_unwatched = true; }

  /// Makes the stream accept write_later from now on.
  void defer_writes() { state_->defers_writes = true; }
  /// Sends the deferred frame. False if there is none.
  bool send_deferred() {
    State& s = *state_;
    if (!s.deferred) return false;
    base::Bytes frame = *std::exchange(s.deferred, std::nullopt);
    const std::string_view bytes = frame.view();
    const std::size_t sent = s.take({&bytes, 1});
    frame.drop_front(sent);
    if (!frame.empty()) s.events->on_write_incomplete(std::move(frame), sent > 0);
    return true;
  }

  // What the peer receives.

  [[nodiscard]] const std::string& received() const { return state_->received; }
  [[nodiscard]] std::string take_received() { return std::exchange(state_->received, {}); }
  /// The number of calls of `write`.
  [[nodiscard]] std::size_t writes() const { return state_->writes; }
  [[nodiscard]] bool is_open() const { return state_->is_open; }
  [[nodiscard]] bool is_shut_down() const { return state_->is_shut_down; }
  [[nodiscard]] bool is_paused() const { return state_->is_paused; }
  [[nodiscard]] std::size_t room() const { return state_->room; }
  /// Sent but not delivered yet.
  [[nodiscard]] std::size_t waiting() const { return state_->incoming.size(); }

 private:
  struct State {
    net::ByteStream::Events* events = nullptr;
    std::string incoming;
    std::string received;
    std::optional<std::string> error;
    std::size_t room = unlimited;
    std::size_t writes = 0;
    bool is_secure = false;
    bool is_open = false;
    bool is_paused = false;
    bool is_shut_down = false;
    bool has_end = false;
    bool end_told = false;
    bool error_told = false;
    bool blocked = false;

    bool may_be_unwatched = false;
    bool defers_writes = false;
    std::optional<base::Bytes> deferred;

    std::size_t take(std::span<const std::string_view> pieces) {
      ++writes;
      expect_nothing_posted();
      if (error || is_shut_down) return 0;
      std::size_t taken = 0;
      for (const auto piece : pieces) {
        const std::size_t part = std::min(piece.size(), room);
        received.append(piece, 0, part);
        if (room != unlimited) room -= part;
        taken += part;
        if (part < piece.size()) {
          blocked = true;
          break;
        }
      }
      return taken;
    }
    /// Completes what ByteStream::write_later promises.
    void expect_nothing_posted() const {
      if (deferred) throw std::logic_error("a stream is written to before its deferred write");
    }
    [[nodiscard]] bool can_read() const { return is_open && events != nullptr && !is_paused && !error_told; }
  };

  class Stream final : public net::ByteStream {
   public:
    explicit Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
    ~Stream() override {
      state_->is_open = false;
      state_->events = nullptr;
    }

    void set_events(Events& events) override { state_->events = &events; }
    void pause_reading() override { state_->is_paused = true; }
    void resume_reading() override { state_->is_paused = false; }
    [[nodiscard]] std::size_t write(std::span<const std::string_view> pieces) override {
      return state_->take(pieces);
    }
    [[nodiscard]] bool write_later(base::Bytes& frame) override {
      if (!state_->defers_writes || state_->blocked || state_->error) return false;
      state_->expect_nothing_posted();
      state_->deferred = std::move(frame);
      return true;
    }
    void shutdown() override { state_->is_shut_down = true; }
    [[nodiscard]] bool shutdown_unwatched() override {
      if (!state_->may_be_unwatched) return false;
      state_->events = nullptr;
      shutdown();
      return true;
    }
    [[nodiscard]] std::size_t buffered_bytes() const override { return 0; }
    [[nodiscard]] bool is_secure() const override { return state_->is_secure; }

   private:
    std::shared_ptr<State> state_;
  };

  std::shared_ptr<State> state_;
};

}  // namespace roomcast::test

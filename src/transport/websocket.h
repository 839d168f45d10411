#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/close_reason.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "base/work_allowance.h"
#include "http/exchange.h"
#include "net/byte_stream.h"
#include "net/linger.h"
#include "session/transport.h"
#include "transport/client.h"
#include "transport/outgoing.h"
#include "transport/websocket_framing.h"
#include "ws/extensions.h"
#include "ws/fault.h"
#include "ws/frame_reader.h"

namespace roomcast::transport {

/// What may change by a reload; applies from the next use on.
struct WebSocketSettings {
  std::int64_t ping_ms;             ///< between pings
  std::int64_t pong_timeout_ms;     ///< for anything to be received after a ping
  std::int64_t close_timeout_ms;    ///< for the close handshake and for what is still queued
  std::int64_t message_timeout_ms;  ///< for a message once it has begun; checked with each ping
  std::size_t queue_bytes;
  ws::ReaderLimits reader;
  ws::ReaderLimits enveloped_reader;  ///< for messages that contain an escaped payload
};

struct WebSocketStats : OutgoingStats {
  std::uint64_t messages_in = 0;
  std::uint64_t payload_bytes_in = 0;
  std::size_t open = 0;  ///< clients there are now
};

/// What all WebSocket clients share; outlives them.
struct WebSocketShared {
  base::Scheduler& scheduler;
  base::Deadlines& deadlines;
  net::Linger& linger;
  WebSocketFramings& framings;
  WebSocketSettings settings;
  WebSocketStats stats;
  ws::InflaterPool inflaters;
  base::Bytes ping_frame;

  WebSocketShared(base::Scheduler& scheduler, base::Deadlines& deadlines, net::Linger& linger,
                  WebSocketFramings& framings, const WebSocketSettings& settings);
  WebSocketShared(const WebSocketShared&) = delete;
  WebSocketShared& operator=(const WebSocketShared&) = delete;

  /// The limits and decompression for reading from such a client; part of this object.
  [[nodiscard]] const ws::ReaderProfile& reader_for(
      bool enveloped, const std::optional<ws::DeflateParameters>& deflate) const;

 private:
  using Profiles = std::array<ws::ReaderProfile, 3>;  // plain, compressed, compressed with context takeover
  [[nodiscard]] Profiles profiles_with(const ws::ReaderLimits& limits);
  Profiles readers_;
  Profiles enveloped_readers_;
};

/// What depends on the dialect that is used over the connection.
struct WebSocketOptions {
  bool enveloped = false;   ///< the client's messages contain payloads, escaped, rather than being payloads
  bool sends_pings = true;  ///< whether ping frames find a client that is gone; otherwise the session has to
};

/// A client over WebSocket (RFC 6455): open → closing (our close frame is on its way, the peer's is awaited)
/// → finishing or, if the peer's close frame has come, parting (nothing more is read; what is queued leaves,
/// then the TCP connection is closed) → closed.
class WebSocket final : public session::Transport,
                        private net::ByteStream::Events,
                        private base::Deadline::Listener,
                        private base::TurnTask {
 public:
  /// Of a connection whose handshake has been answered.
  WebSocket(WebSocketShared& shared, http::HandOver&& connection,
            const std::optional<ws::DeflateParameters>& deflate, const WebSocketOptions& options);
  ~WebSocket() override;

  void start(session::TransportEvents& events) override;
  [[nodiscard]] const session::Framing& framing() const override {
    return shared_.framings.for_window(window_bits_);
  }
  [[nodiscard]] std::string_view name() const override { return "websocket"; }
  void send(const base::Bytes& wire) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return output_.bytes(); }
  void notify_when_drained() override;
  void pause() override;
  void resume() override;
  void close(base::CloseReason reason, std::string_view text) override;
  void abort() override;
  [[nodiscard]] std::string_view peer_address() const override { return client_.address(); }
  [[nodiscard]] session::Traffic traffic() const override;
  [[nodiscard]] std::uint16_t close_code() const override { return close_code_; }

 private:
  enum class State : std::uint8_t { open, closing, finishing, parting, closed };

  /// What was read but not handled yet: the leftover of the handshake, or while reading is paused, or the
  /// rest of a read that was more work than is done in one go. The stream is paused while there is any.
  struct Held final : base::TurnTask {
    Held(WebSocket& websocket, std::string text) : owner(websocket), bytes(std::move(text)) {}
    void run_at_turn_end() override { owner.read_held(); }

    WebSocket& owner;
    std::string bytes;
    std::size_t handled = 0;                  // of them
    std::optional<std::uint16_t> close_code;  // instead: of a close frame that came right behind messages
    bool is_end = false;  // its close frame or FIN waits until its own messages have been delivered
  };

  void on_bytes(std::span<char> bytes) override;
  void on_end() override;
  void on_writable() override;
  void on_write_incomplete(base::Bytes&& rest, bool is_started) override;
  void on_held() override;
  void on_error(std::string_view why) override;
  void on_deadline() override;
  void run_at_turn_end() override;
  void shed() override;
  /// Reports the memory held for this client to its admission.
  void report_held_bytes();
  /// Writes what is queued, where the batch does not take it or the end of the write has to be known.
  void write();
  void after_write(net::WriteQueue::Flushed result);
  void note_costly();
  [[nodiscard]] bool is_costly();
  /// Handles `input` as far as the allowance goes. `held`: where it lies, if that is held.
  void read(std::span<char> input, std::unique_ptr<Held> held);
  void hold(std::span<char> rest, std::unique_ptr<Held> held);
  /// Handles what is held, unless reading is paused; then there is more to come, or an end.
  void read_held();
  void drop_held();
  /// Whether the client's close or FIN, which `held` is, has to wait until messages of its own have been
  /// delivered to it.
  [[nodiscard]] bool postpone_end(std::unique_ptr<Held>& held);
  /// Handles the close or FIN that was held.
  void handle_held_end();
  void end_of_input();
  void on_event(const ws::ReaderEvent& event);
  void on_close_frame(std::uint16_t code);
  void hold_close(ws::CloseCode code);
  void on_data(dialect::PayloadForm form, std::string_view payload);
  void keep_alive();
  /// Queues a close frame (RFC 6455 section 5.5.1), behind the session's last payloads, and moves on to
  /// `next`.
  void begin_closing(base::CloseReason reason, std::uint16_t code, std::string_view text, State next);
  /// Everything has been sent.
  void finish();
  /// Closed at once; the stream is closed with this object.
  void end(base::CloseReason reason);
  void mark_dirty() { shared_.scheduler.mark_dirty(*this); }

  // An idle client is mostly this: the small members stand where the large ones leave room at their ends.
  // What a delivery touches stands first: of many clients, none of it is in the cache.
  std::uint32_t messages_in_ = 0;
  WebSocketShared& shared_;
  std::unique_ptr<net::ByteStream> stream_;
  Outgoing output_;
  std::unique_ptr<Held> held_;
  [[no_unique_address]] ws::FrameReader reader_;
  base::CloseReason reason_ = base::CloseReason::connection_lost;
  State state_ = State::open;
  std::uint16_t close_code_ = 0;
  std::uint8_t window_bits_ : 4;  // of our compression, 0: none
  bool sends_pings_ : 1;
  bool heard_ : 1 = false;  // anything was received since the last check, or written while reading is paused
  bool awaiting_pong_ : 1 = false;
  bool paused_ : 1 = false;
  bool drained_wanted_ : 1 = false;
  bool peer_ended_ : 1 = false;  // FIN seen
  // Whether a read has used up its allowance within the last second or two, and in which second, modulo four:
  // a check much later may take an old second for a recent one, and then the client is deferred once.
  bool was_costly_ : 1 = false;
  std::uint8_t costly_second_ : 2 = 0;
  // To here.
  Client client_;
  session::TransportEvents* events_ = nullptr;
  std::uint64_t payload_bytes_in_ = 0;
  [[no_unique_address]] base::Deadline deadline_;
  std::int32_t silent_ms_ = 0;  // since the first ping that nothing has come back for
};

}  // namespace roomcast::transport

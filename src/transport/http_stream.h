#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/close_reason.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "http/exchange.h"
#include "net/byte_stream.h"
#include "net/linger.h"
#include "session/transport.h"
#include "transport/client.h"
#include "transport/outgoing.h"
#include "transport/stream_framing.h"

namespace roomcast::transport {

/// What may change by a reload; applies from the next use on.
struct HttpStreamSettings {
  std::int64_t heartbeat_ms;      ///< between heartbeats; also how long a client may take nothing
  std::int64_t close_timeout_ms;  ///< for what is still queued at the end
  std::size_t queue_bytes;
  bool compression;  ///< gzip for clients that accept it
};

struct HttpStreamStats : OutgoingStats {
  std::size_t open = 0;  ///< clients there are now
};

/// What all clients of one kind of endless answers share; outlives them.
struct HttpStreamShared {
  base::Scheduler& scheduler;
  base::Deadlines& deadlines;
  net::Linger& linger;
  HttpStreamSettings settings;
  StreamFramings framings;
  HttpStreamStats stats{};
};

/// A client that reads an endless HTTP answer (EventSource, NDJSON) and sends nothing more: open → finishing
/// (what is queued is written, then the connection is closed) → closed.
///
/// What it sends nevertheless is discarded, up to a bound. It leaves by closing the connection, or only its
/// sending half.
class HttpStream final : public session::Transport,
                         private net::ByteStream::Events,
                         private base::Deadline::Listener,
                         private base::TurnTask {
 public:
  /// Of a connection whose request has been answered with a head. `opening` is the first of the content; may
  /// be empty.
  HttpStream(HttpStreamShared& shared, const StreamFraming& framing, http::HandOver&& connection,
             std::string_view opening);
  ~HttpStream() override;

  void start(session::TransportEvents& events) override;
  [[nodiscard]] const session::Framing& framing() const override { return framing_; }
  [[nodiscard]] std::string_view name() const override { return framing_.content().name(); }
  void send(const base::Bytes& wire) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return output_.bytes(); }
  void notify_when_drained() override;
  /// Nothing that the client sends is taken anyway.
  void pause() override {}
  void resume() override {}
  void close(base::CloseReason reason, std::string_view text) override;
  void abort() override;
  [[nodiscard]] std::string_view peer_address() const override { return client_.address(); }
  [[nodiscard]] session::Traffic traffic() const override { return {0, 0, output_.wire_bytes()}; }
  [[nodiscard]] std::uint16_t close_code() const override { return close_code_; }

 private:
  enum class State : std::uint8_t { open, finishing, closed };

  void on_bytes(std::span<char> bytes) override;
  void on_end() override;
  void on_writable() override { mark_dirty(); }
  void on_write_incomplete(base::Bytes&& rest, bool is_started) override;
  void on_held() override;
  void on_error(std::string_view why) override;
  void on_deadline() override;
  void run_at_turn_end() override;
  void shed() override;

  /// Reports the memory held for this client to its admission.
  void report_held_bytes();
  void keep_alive();
  void enqueue(const base::Bytes& wire) { output_.push(wire, stats()); }
  void write();
  void look_at_rest(net::WriteQueue::Flushed result);
  /// Ends the body behind the session's last payloads.
  void finish(base::CloseReason reason, std::string_view text);
  /// Closed at once; the stream is closed with this object.
  void end(base::CloseReason reason);
  void mark_dirty() { shared_.scheduler.mark_dirty(*this); }
  [[nodiscard]] HttpStreamStats& stats() const { return shared_.stats; }

  std::uint32_t start_bytes_;  // of the beginning of the body: without it the rest cannot be decoded
  HttpStreamShared& shared_;
  const StreamFraming& framing_;
  std::unique_ptr<net::ByteStream> stream_;
  Client client_;
  session::TransportEvents* events_ = nullptr;
  Outgoing output_;
  [[no_unique_address]] base::Deadline deadline_;
  std::uint16_t close_code_ = 0;
  base::CloseReason reason_ = base::CloseReason::connection_lost;
  State state_ : 2 = State::open;
  bool drained_wanted_ : 1 = false;
  bool stuck_ : 1 = false;       // something waited at the last heartbeat, and nothing was taken since
  bool peer_ended_ : 1 = false;  // FIN seen
  std::size_t discarded_;        // bytes that the client sent
};

}  // namespace roomcast::transport

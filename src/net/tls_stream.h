#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "base/work_allowance.h"
#include "net/byte_stream.h"
#include "net/tls_context.h"
#include "net/tls_shared.h"

struct ssl_st;

namespace roomcast::net {

/// TLS over another stream (RFC 5246, RFC 8446): the server side, and that of a client, which tls_client.h
/// makes.
///
/// - The handshake begins with set_events. Until it is complete `write` takes nothing. Its steps run at the
///   end of the turn, so that the time box of the turn limits a rush of handshakes. The messages of each step
///   leave in one write, and those of the last one (the session ticket) with the response to a request that
///   the client has sent along.
/// - One `write` makes one record per 16 KiB of plaintext, and one write below.
/// - `write` takes plaintext only while no ciphertext waits for the stream below, so that at most 64 KiB and
///   the overhead of the records are buffered.
/// - Input is decrypted record by record, as far as an allowance permits (base/work_allowance.h), and
///   delivered in one `on_bytes`. The rest, at most one read, is kept and deferred.
/// - A peer that sends more than `max_idle_records` records in a row without data is disconnected.
/// - An idle connection keeps only OpenSSL's state and this object.
/// - A client whose first byte is a letter does not use TLS: it gets an unencrypted response and is reported
///   (WithoutTls); for the owner the connection is broken.
/// - An end of the stream below without close_notify is an error: the data may have been truncated. After our
///   own close_notify it counts as the end.
class TlsStream final : public ByteStream,
                        private ByteStream::Events,
                        private base::TurnTask,
                        private base::Deadline::Listener {
 public:
  /// Records without application data in a row: key updates (RFC 8446 section 4.6.3), alerts, empty records.
  /// Also the limit for one step of a handshake, which has two to five.
  static constexpr std::size_t max_idle_records = 32;

  struct Free {
    void operator()(ssl_st* connection) const;
  };
  using Connection = std::unique_ptr<ssl_st, Free>;

  /// The server side. `shared` outlives the stream.
  TlsStream(TlsShared& shared, std::shared_ptr<const TlsContext> context, std::unique_ptr<ByteStream> below,
            std::string_view peer);
  /// The client side, with `connection` set up but for its BIO.
  TlsStream(TlsShared& shared, Connection connection, std::unique_ptr<ByteStream> below);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override;

  void set_events(ByteStream::Events& events) override;
  void pause_reading() override;
  void resume_reading() override;
  [[nodiscard]] std::size_t write(std::span<const std::string_view> pieces) override;
  void shutdown() override;
  [[nodiscard]] bool shutdown_unwatched() override;
  [[nodiscard]] std::size_t buffered_bytes() const override {
    return has_unsent() ? waiting_->unsent.size() : 0;
  }
  [[nodiscard]] std::size_t held_bytes() const override {
    return waiting_ ? waiting_->unsent.capacity() + waiting_->input.capacity() : 0;
  }
  [[nodiscard]] bool is_secure() const override { return true; }

 private:
  enum class State : std::uint8_t {
    handshake,
    open,
    refused,  // the peer does not use TLS and got its response: further input is discarded until its end
    failed,
  };
  /// State of the handshake.
  struct Handshake {
    std::shared_ptr<const TlsContext> context;  // null for a client
    std::optional<base::Deadline> deadline;     // set during the handshake
    std::int64_t timeout_ms = 0;
    std::string peer;
    bool has_begun = false;   // input has arrived
    std::string last_flight;  // its last messages, which leave with the first response
  };
  /// Data that has to wait; most connections have none most of the time.
  struct Waiting {
    std::string input;   // ciphertext that came too early or exceeded the allowance
    std::string unsent;  // ciphertext that the stream below has not taken
    std::string error;   // reported by the next flush
  };

  void on_bytes(std::span<char> bytes) override;
  void on_end() override;
  void on_writable() override;
  void on_error(std::string_view why) override;
  void run_at_turn_end() override;
  void on_deadline() override;

  /// Whether the peer does not use TLS, by the first byte of a handshake.
  [[nodiscard]] bool is_without_tls(std::string_view input);
  void do_handshake();
  void refuse_without_tls();
  void finish_handshake();
  void keep_input(std::span<const char> bytes);
  /// Decrypts and delivers `input`, as far as the allowance permits; the rest is kept.
  void read_plaintext(std::span<const char> input, base::WorkAllowance allowance);
  /// The result of reading one record.
  enum class Record : std::uint8_t { data, other, incomplete, finished, broken };
  /// Decrypts one record, or a part of it, and appends its data to the first `plaintext` bytes of the buffer.
  Record read_record(std::size_t& plaintext, base::WorkAllowance& allowance);
  void on_peer_finished();
  /// Encrypts into the shared records; `at_once`: directly to the stream below, and only the rest into the
  /// records.
  bool encrypt(std::string_view plaintext, bool at_once);
  void send_records();
  void send_close_notify();
  void fail(const std::string& why);
  void fail_later(std::string why);
  [[nodiscard]] Waiting& waiting();
  /// Takes the data of that kind, which no longer waits.
  [[nodiscard]] std::string take_waiting(std::string Waiting::*kind);
  [[nodiscard]] bool has_unsent() const { return waiting_ && !waiting_->unsent.empty(); }
  [[nodiscard]] bool has_input() const { return waiting_ && !waiting_->input.empty(); }
  /// Calls on_held if `held_bytes` differs from `before`.
  void report_held(std::size_t before);

  TlsShared& shared_;
  std::unique_ptr<ByteStream> below_;
  ByteStream::Events* events_ = nullptr;
  Connection connection_;
  std::unique_ptr<Handshake> handshake_;  // until it is over
  std::unique_ptr<Waiting> waiting_;      // while anything waits
  State state_ = State::handshake;
  bool paused_ : 1 = false;
  bool end_waits_ : 1 = false;     // the stream below has ended, after input that has to wait
  bool ended_ : 1 = false;         // on_end was called
  bool dead_ = false;              // on_error was called
  bool blocked_ = false;           // on_writable is to follow
  bool shut_down_ = false;         // close_notify is sent or on its way
  std::uint8_t idle_records_ = 0;  // begun since the last data; the last one may be incomplete
  base::Recently costly_;          // a read has used up its allowance
};

}  // namespace roomcast::net

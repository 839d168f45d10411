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

/// The server's side of TLS over another stream (RFC 5246, RFC 8446).
///
/// - The handshake begins with set_events. Until it is over `write` takes nothing. Its steps are done at the
///   end of the turn, so that a rush of handshakes is cut up by the turn's time box. Each step's messages
///   leave in one write, and those of the last one (the session ticket) with the answer to what the client
///   has asked in the same breath.
/// - One `write` makes one record and one write below for every 16 KiB of plaintext.
/// - `write` takes plaintext only while no ciphertext waits for the stream below, so no more than one batch
///   (64 KiB and the records' overhead) is ever buffered.
/// - What comes is decrypted record by record, as far as an allowance goes (base/work_allowance.h), and is
///   handed over in one `on_bytes`. The rest is kept, at most what was read at once, and goes on deferred.
/// - A peer that sends `max_idle_records` records without data, and then one more, is given up.
/// - A connection at rest keeps nothing but OpenSSL's state and this object.
/// - A peer whose first byte is a letter speaks HTTP, or something else in text, without TLS: it is answered
/// in
///   clear and told of (WithoutTls), which for the owner is a broken connection.
/// - The end of the stream below without a close_notify is an error: the data may have been truncated. After
///   our own close_notify it counts as the end.
class TlsStream final : public ByteStream,
                        private ByteStream::Events,
                        private base::Flushable,
                        private base::Deadline::Listener {
 public:
  /// Without application data in between: key updates (RFC 8446 section 4.6.3), alerts, empty ones. Also in
  /// one step of a handshake, which has two to five.
  static constexpr std::size_t max_idle_records = 32;

  /// `shared` outlives the stream.
  TlsStream(TlsShared& shared, std::shared_ptr<const TlsContext> context, std::unique_ptr<ByteStream> below,
            std::string_view peer);
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
    refused,  // the peer speaks without TLS and has its answer: what still comes is discarded until its end
    failed,
  };
  /// What only the handshake needs.
  struct Handshake {
    std::shared_ptr<const TlsContext> context;
    std::optional<base::Deadline> deadline;  // set while it goes on
    std::int64_t timeout_ms = 0;
    std::string peer;
    bool has_begun = false;  // something has come
    std::string last_words;  // its last messages, which leave with the first answer
  };
  /// What has to wait; on most connections, most of the time, nothing does.
  struct Waiting {
    std::string input;   // ciphertext that came too early, or was more work than is done at once
    std::string unsent;  // ciphertext that the stream below has not taken
    std::string error;   // reported by the next flush
  };
  struct Free {
    void operator()(ssl_st* connection) const;
  };

  void on_bytes(std::span<char> bytes) override;
  void on_end() override;
  void on_writable() override;
  void on_error(std::string_view why) override;
  void flush() override;
  void on_deadline() override;

  void do_handshake();
  void refuse_without_tls();
  void finish_handshake();
  void keep_input(std::span<const char> bytes);
  /// Delivers what `input` holds, as far as the allowance goes; the rest is kept.
  void read_plaintext(std::span<const char> input, base::WorkAllowance allowance);
  /// What has come of one record.
  enum class Record : std::uint8_t { data, other, incomplete, finished, broken };
  /// Decrypts one record, or a part of one, and adds its data to those of `plaintext` that are.
  Record read_record(std::size_t& plaintext, base::WorkAllowance& allowance);
  void on_peer_finished();
  /// Into the records; `at_once`: to the stream below, and only what that does not take.
  bool encrypt(std::string_view plaintext, bool at_once);
  void send_records();
  void send_close_notify();
  void fail(const std::string& why);
  void fail_later(std::string why);
  [[nodiscard]] Waiting& waiting();
  /// What waited of that kind; it does not wait any more.
  [[nodiscard]] std::string take_waiting(std::string Waiting::*kind);
  [[nodiscard]] bool has_unsent() const { return waiting_ && !waiting_->unsent.empty(); }
  [[nodiscard]] bool has_input() const { return waiting_ && !waiting_->input.empty(); }
  /// Tells the owner if `held_bytes` is not what it was `before`.
  void tell_held(std::size_t before);

  TlsShared& shared_;
  std::unique_ptr<ByteStream> below_;
  ByteStream::Events* events_ = nullptr;
  std::unique_ptr<ssl_st, Free> connection_;
  std::unique_ptr<Handshake> handshake_;  // until it is over
  std::unique_ptr<Waiting> waiting_;      // while there is any
  State state_ = State::handshake;
  bool paused_ : 1 = false;
  bool end_waits_ : 1 = false;     // the stream below has ended, behind input that has to wait
  bool ended_ : 1 = false;         // on_end was called
  bool dead_ = false;              // on_error was called
  bool blocked_ = false;           // on_writable is owed
  bool shut_down_ = false;         // close_notify is sent or on its way
  std::uint8_t idle_records_ = 0;  // begun since the last data; one may not be whole yet
  base::Recently costly_;          // a read has used up its allowance
};

}  // namespace roomcast::net

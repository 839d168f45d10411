#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/deadlines.h"
#include "base/scheduler.h"
#include "net/byte_stream.h"
#include "net/tls_context.h"
#include "net/tls_shared.h"

struct bio_st;
struct ssl_st;

namespace roomcast::net {

/// The server's side of TLS over another stream (RFC 5246, RFC 8446).
///
/// - The handshake begins with set_events. Until it is over `write` takes nothing. Its steps are done at the
///   end of the turn, so that a rush of handshakes is cut up by the turn's time box.
/// - `write` takes plaintext only while no ciphertext waits for the stream below, so no more than one batch
///   (64 KiB and the records' overhead) is ever buffered.
/// - The end of the stream below without a close_notify is an error: the data may have been truncated. After
///   our own close_notify it counts as the end.
class TlsStream final : public ByteStream,
                        private ByteStream::Events,
                        private base::Flushable,
                        private base::Deadline::Listener {
 public:
  /// `shared` outlives the stream.
  TlsStream(TlsShared& shared, std::shared_ptr<const TlsContext> context, std::unique_ptr<ByteStream> below);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override;

  void set_events(ByteStream::Events& events) override;
  void pause_reading() override;
  void resume_reading() override;
  [[nodiscard]] std::size_t write(std::span<const std::string_view> pieces) override;
  void shutdown() override;
  [[nodiscard]] std::size_t buffered_bytes() const override { return unsent_.size(); }
  [[nodiscard]] bool is_secure() const override { return true; }

 private:
  friend class TlsShared;  // its BIO calls take_input and put_output
  enum class State : std::uint8_t { handshake, open, failed };
  struct Free {
    void operator()(ssl_st* connection) const;
  };

  void on_bytes(std::span<char> bytes) override;
  void on_end() override;
  void on_writable() override;
  void on_error(std::string_view why) override;
  void flush() override;
  void on_deadline() override;

  std::size_t take_input(char* into, std::size_t size);
  void put_output(std::string_view records);

  void do_handshake();
  void read_plaintext();
  void on_peer_finished();
  bool encrypt(std::string_view plaintext);
  void send_records();
  void fail(const std::string& why);
  void fail_later(std::string why);

  TlsShared& shared_;
  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<ByteStream> below_;
  ByteStream::Events* events_ = nullptr;
  std::unique_ptr<ssl_st, Free> connection_;
  std::optional<base::Deadline> deadline_;  // of the handshake
  std::span<const char> input_;             // ciphertext being decrypted
  std::string kept_input_;                  // ciphertext that came too early; reading below is paused then
  std::string unsent_;                      // ciphertext that the stream below has not taken
  std::string error_;                       // reported by the next flush
  State state_ = State::handshake;
  bool paused_ = false;
  bool ended_ = false;      // on_end was called
  bool dead_ = false;       // on_error was called
  bool blocked_ = false;    // on_writable is owed
  bool shut_down_ = false;  // close_notify is sent or on its way
};

}  // namespace roomcast::net

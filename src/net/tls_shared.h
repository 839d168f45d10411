#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadlines.h"
#include "base/scheduler.h"
#include "net/byte_stream.h"
#include "net/tls_context.h"

struct ssl_ctx_st;
struct bio_method_st;
struct bio_st;
struct ssl_st;

namespace roomcast::net {

/// The keys that encrypt session tickets (RFC 5077, RFC 8446 section 4.6.1). They are never stored elsewhere
/// and are erased with this object.
///
/// A stolen key decrypts TLS 1.2 connections that use its tickets, so keys must be short-lived (RFC 9325
/// section 4.4): after `lifetime_ms` their tickets are void, and the clients make one full handshake.
class TicketKeys {
 public:
  static constexpr std::int64_t lifetime_ms = std::int64_t{12} * 60 * 60 * 1000;

  /// New random keys. Throws std::runtime_error if the system has no randomness.
  TicketKeys() { renew(); }
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  void renew();
  /// Makes `context` use these keys instead of its own.
  void give_to(ssl_ctx_st* context) const;

 private:
  std::array<unsigned char, 80> bytes_{};  // key name, HMAC key and AES key
};

/// Of servers.
struct TlsStats {
  std::uint64_t handshakes_ok = 0;
  std::uint64_t handshakes_failed = 0;   ///< including clients without TLS
  std::uint64_t handshakes_resumed = 0;  ///< of the successful ones
};

class TlsStream;

/// The handling of clients that do not use TLS, such as a browser that was given http:// for https://.
struct WithoutTls {
  std::string answer;  ///< sent unencrypted before the connection is closed; may be empty
  std::function<void(std::string_view peer)> notify;  ///< called for each; may be empty
};

/// Shared by all TLS streams of a loop: buffers, counters, scheduler and deadlines.
class TlsShared {
 public:
  static constexpr std::size_t record_bytes = 16'384;  ///< maximum plaintext of a record
  /// The most that a stream delivers at a time: one read of a socket, and the record that was begun before.
  static constexpr std::size_t plaintext_bytes = 65'536 + record_bytes;
  /// OpenSSL reads the header of a record, then the rest.
  static constexpr std::size_t reads_per_record = 2;

  TlsShared(base::Scheduler& scheduler, base::Deadlines& deadlines);
  TlsShared(const TlsShared&) = delete;
  TlsShared& operator=(const TlsShared&) = delete;
  ~TlsShared();

  void set_without_tls(WithoutTls without_tls) { without_tls_ = std::move(without_tls); }
  /// Applies to new handshakes.
  void set_handshake_timeout(std::int64_t ms) { handshake_timeout_ms_ = ms; }
  [[nodiscard]] const TlsStats& stats() const { return stats_; }

 private:
  friend class TlsStream;
  friend class TlsWrapper;
  struct FreeMethod {
    void operator()(bio_method_st* method) const;
  };
  /// Creates a BIO that reads from `input_` and writes with `take_record`.
  [[nodiscard]] bio_st* make_bio();
  void take_record(std::string_view record);
  std::size_t take_input(char* into, std::size_t size);
  /// Makes OpenSSL count the records of `connection` in `records_read_`.
  void count_records(ssl_st* connection);

  base::Scheduler& scheduler_;
  base::Deadlines& deadlines_;
  std::int64_t handshake_timeout_ms_ = 10'000;
  TlsStats stats_;
  WithoutTls without_tls_;
  std::vector<char> decrypted_;        // the output of SSL_read, record after record
  std::vector<char> joining_;          // concatenates small pieces of one record
  std::span<const char> input_;        // the ciphertext being decrypted
  std::size_t reads_left_ = 0;         // how often OpenSSL may read before it has to return
  std::size_t records_read_ = 0;       // records that OpenSSL has begun to read
  std::string records_;                // output of SSL_write that was not offered to the stream below yet
  ByteStream* straight_to_ = nullptr;  // takes the next record directly, before `records_`
  std::unique_ptr<bio_method_st, FreeMethod> method_;
};

/// Wraps accepted streams in TLS with the current certificates. A session that began with one set of
/// certificates can be resumed with the next: ticket keys are replaced by time, not with the certificates.
class TlsWrapper final : public StreamWrapper, private base::Deadline::Listener {
 public:
  TlsWrapper(TlsShared& shared, std::shared_ptr<const TlsContext> context);
  TlsWrapper(const TlsWrapper&) = delete;
  TlsWrapper& operator=(const TlsWrapper&) = delete;
  ~TlsWrapper() = default;

  [[nodiscard]] std::unique_ptr<ByteStream> wrap(std::unique_ptr<ByteStream> stream,
                                                 std::string_view peer) override;
  /// Applies to new connections; existing ones keep theirs.
  void set_context(std::shared_ptr<const TlsContext> context);
  [[nodiscard]] const TlsContext& context() const { return *context_; }

 private:
  void on_deadline() override;

  TlsShared& shared_;
  std::shared_ptr<const TlsContext> context_;
  TicketKeys ticket_keys_;
  base::Deadline ticket_keys_end_;
};

}  // namespace roomcast::net

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

/// The keys that session tickets are sealed with (RFC 5077, RFC 8446 section 4.6.1). They are never written
/// anywhere and are wiped with this object.
///
/// Whoever steals them can read what TLS 1.2 connections with tickets of theirs have said, so they must not
/// live long (RFC 9325 section 4.4): `lifetime_ms`, after which their tickets are worth nothing, and their
/// clients make one full handshake.
class TicketKeys {
 public:
  static constexpr std::int64_t lifetime_ms = std::int64_t{12} * 60 * 60 * 1000;

  /// Fresh random keys. Throws std::runtime_error where the system has no randomness.
  TicketKeys() { renew(); }
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  void renew();
  /// Has `context` use these from now on instead of its own.
  void give_to(ssl_ctx_st* context) const;

 private:
  std::array<unsigned char, 80> bytes_{};  // a name, the key of an HMAC and that of AES
};

struct TlsStats {
  std::uint64_t handshakes_ok = 0;
  std::uint64_t handshakes_failed = 0;   ///< those without TLS as well
  std::uint64_t handshakes_resumed = 0;  ///< of those that went well
};

class TlsStream;

/// What becomes of clients that speak without TLS, as a browser does that was given http:// for https://.
struct WithoutTls {
  std::string answer;                               ///< sent in clear before the end; may be empty
  std::function<void(std::string_view peer)> told;  ///< about each; may be empty
};

/// What all TLS streams of a loop share: buffers, counters, and what they need of the turn.
class TlsShared {
 public:
  static constexpr std::size_t record_bytes = 16'384;  ///< largest plaintext of a record
  /// What a stream hands over at most at a time: as much as a socket reads, and a record begun before.
  static constexpr std::size_t plaintext_bytes = 65'536 + record_bytes;
  /// OpenSSL reads a record's head, then the rest of it.
  static constexpr std::size_t reads_per_record = 2;

  TlsShared(base::Scheduler& scheduler, base::Deadlines& deadlines);
  TlsShared(const TlsShared&) = delete;
  TlsShared& operator=(const TlsShared&) = delete;
  ~TlsShared();

  void set_without_tls(WithoutTls without_tls) { without_tls_ = std::move(without_tls); }
  /// For handshakes to come.
  void set_handshake_timeout(std::int64_t ms) { handshake_timeout_ms_ = ms; }
  [[nodiscard]] const TlsStats& stats() const { return stats_; }

 private:
  friend class TlsStream;
  friend class TlsWrapper;
  struct FreeMethod {
    void operator()(bio_method_st* method) const;
  };
  /// A BIO that reads from `input_` and writes with `take_record`.
  [[nodiscard]] bio_st* make_bio();
  void take_record(std::string_view record);
  std::size_t take_input(char* into, std::size_t size);
  /// Has OpenSSL count the records of `connection` in `records_read_`.
  void count_records(ssl_st* connection);

  base::Scheduler& scheduler_;
  base::Deadlines& deadlines_;
  std::int64_t handshake_timeout_ms_ = 10'000;
  TlsStats stats_;
  WithoutTls without_tls_;
  std::vector<char> decrypted_;        // what SSL_read fills, with one record after the other
  std::vector<char> joining_;          // where small pieces become one record
  std::span<const char> input_;        // ciphertext that is being decrypted
  std::size_t reads_left_ = 0;         // how often OpenSSL gets some of it before it has to come back
  std::size_t records_read_ = 0;       // that it has begun to read
  std::string records_;                // what SSL_write made and the stream below has not been offered yet
  ByteStream* straight_to_ = nullptr;  // takes the record that is being made, before `records_` does
  std::unique_ptr<bio_method_st, FreeMethod> method_;
};

/// Puts TLS with the newest certificates over what a listener accepts. A session begun with one set of
/// certificates can be resumed with the next: the ticket keys go by time, not by certificate.
class TlsWrapper final : public StreamWrapper, private base::Deadline::Listener {
 public:
  TlsWrapper(TlsShared& shared, std::shared_ptr<const TlsContext> context);
  TlsWrapper(const TlsWrapper&) = delete;
  TlsWrapper& operator=(const TlsWrapper&) = delete;
  ~TlsWrapper() = default;

  [[nodiscard]] std::unique_ptr<ByteStream> wrap(std::unique_ptr<ByteStream> stream,
                                                 std::string_view peer) override;
  /// Holds for connections to come; those there are keep theirs.
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

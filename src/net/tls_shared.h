#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/deadlines.h"
#include "base/scheduler.h"
#include "net/byte_stream.h"
#include "net/stream_wrapper.h"
#include "net/tls_context.h"

struct bio_method_st;
struct bio_st;

namespace roomcast::net {

struct TlsStats {
  std::uint64_t handshakes_ok = 0;
  std::uint64_t handshakes_failed = 0;
  std::uint64_t handshakes_resumed = 0;  ///< of those that went well
};

class TlsStream;

/// What all TLS streams of a loop share: buffers, counters, and what they need of the turn.
class TlsShared {
 public:
  static constexpr std::size_t record_bytes = 16'384;  ///< largest plaintext of a record

  TlsShared(base::Scheduler& scheduler, base::Deadlines& deadlines, std::int64_t handshake_timeout_ms);
  TlsShared(const TlsShared&) = delete;
  TlsShared& operator=(const TlsShared&) = delete;
  ~TlsShared();

  [[nodiscard]] const TlsStats& stats() const { return stats_; }

 private:
  friend class TlsStream;
  struct FreeMethod {
    void operator()(bio_method_st* method) const;
  };
  [[nodiscard]] bio_st* make_bio(TlsStream& stream) const;

  base::Scheduler& scheduler_;
  base::Deadlines& deadlines_;
  std::int64_t handshake_timeout_ms_;
  TlsStats stats_;
  std::vector<char> decrypted_;  // what SSL_read fills
  std::vector<char> joining_;    // where small pieces become one record
  std::string records_;          // what SSL_write made and the stream below has not been offered yet
  std::unique_ptr<bio_method_st, FreeMethod> method_;
};

/// Puts TLS with the newest certificates over what a listener accepts.
class TlsWrapper final : public StreamWrapper {
 public:
  TlsWrapper(TlsShared& shared, std::shared_ptr<const TlsContext> context)
      : shared_(shared), context_(std::move(context)) {}

  [[nodiscard]] std::unique_ptr<ByteStream> wrap(std::unique_ptr<ByteStream> stream) override;
  /// Holds for connections to come; those there are keep theirs.
  void set_context(std::shared_ptr<const TlsContext> context) { context_ = std::move(context); }
  [[nodiscard]] const TlsContext& context() const { return *context_; }

 private:
  TlsShared& shared_;
  std::shared_ptr<const TlsContext> context_;
};

}  // namespace roomcast::net

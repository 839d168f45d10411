#pragma once

struct bio_method_st;
struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace roomcast::bench {

/// What TLS links are made from: any certificate is taken, buffers are released while nothing is under way.
class TlsClient {
 public:
  /// With `resume` each link after the first offers the newest ticket that the server gave.
  explicit TlsClient(bool resume);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();

  /// For a connection to be made over `descriptor`; the caller gives it to `free`, and closes that.
  [[nodiscard]] ssl_st* make(int descriptor);

  /// The poller has reported the connection's descriptor: there may be something to read again. Until then it
  /// counts as empty once a read from it has given less than asked for.
  static void refresh(ssl_st* connection);

  /// Frees a connection, or nothing for nullptr, without a word to the other side. Its ticket stays good.
  static void free(ssl_st* connection);

 private:
  static int on_ticket(ssl_st* connection, ssl_session_st* ticket);

  bio_method_st* socket_ = nullptr;
  ssl_ctx_st* context_ = nullptr;
  ssl_session_st* newest_ = nullptr;  ///< only with `resume`
};

}  // namespace roomcast::bench

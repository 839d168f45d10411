#pragma once

#include <array>
#include <cstdint>

struct ssl_ctx_st;

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

}  // namespace roomcast::net

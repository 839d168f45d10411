#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roomcast::redis {

/// Where a server is and how it is spoken to, as configured in redis.urls:
/// `redis://[user[:password]@]host[:port][/database]`, the same with `rediss` (TLS), or
/// `unix:/run/redis/redis.sock`. User and password are percent-decoded; IPv6 addresses stand in brackets. The
/// port is 6379 unless given. Whether a password may stand here, where others may read it, is for the caller
/// to decide: `has_password` says it.
struct ServerAddress {
  enum class Scheme : std::uint8_t { tcp, tls, unix_socket };

  Scheme scheme = Scheme::tcp;
  std::string host;  ///< a name or a numeric address, without brackets
  std::uint16_t port = 6'379;
  std::string path;  ///< of a Unix socket, absolute
  std::string user;
  std::string password;
  std::uint32_t database = 0;

  /// Parses `text`, or says what is wrong with it. The message has nothing of `text` in it, since any part of
  /// a malformed address may be the password.
  [[nodiscard]] static base::Result<ServerAddress> parse(std::string_view text);
  [[nodiscard]] bool has_password() const { return !password.empty(); }
  /// For logs: `redis://host:port`, without user, password and database; `unix:/path` of a Unix
  /// socket.
  [[nodiscard]] std::string to_text() const;

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

}  // namespace roomcast::redis

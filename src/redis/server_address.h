#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roomcast::redis {

/// Where a server is and how it is spoken to, as configured in redis.urls:
/// `redis://[user[:password]@]host[:port][/database]`, the same with `rediss` (TLS), or
/// `unix:/run/redis/redis.sock`. User and password are percent-decoded; IPv6 addresses stand in brackets. The
/// port is 6379 unless given. A password in the URL is refused with words that name redis.password_file where
/// the text would be shown to others: that is the caller's to do, `has_password` says it.
struct ServerAddress {
  enum class Scheme : std::uint8_t { tcp, tls, unix_socket };

  Scheme scheme = Scheme::tcp;
  std::string host;  ///< a name or a numeric address, without brackets
  std::uint16_t port = 6'379;
  std::string path;  ///< of a Unix socket, absolute
  std::string user;
  std::string password;
  std::uint32_t database = 0;

  /// Parses `text`, or says what is wrong with it; the message has no password in it.
  [[nodiscard]] static base::Result<ServerAddress> parse(std::string_view text);
  /// For logs: `redis://host:port`, without user, password and database.
  [[nodiscard]] std::string to_text() const;

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

}  // namespace roomcast::redis

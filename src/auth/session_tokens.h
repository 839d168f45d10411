#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::auth {

/// What the cookie of a signed-in user says.
struct SessionClaims {
  std::string user;         ///< `sub`: the id
  std::string fingerprint;  ///< `pwf`: PasswordHash::fingerprint of the password that was given
  std::string token_id;     ///< `jti`
  std::int64_t issued_s = 0;
  std::int64_t expires_s = 0;
};

/// Issues and verifies the tokens that are the cookies of signed-in users: JWTs (RFC 7519) signed with HMAC
/// SHA-256 (HS256, RFC 7518 section 3.2) and a secret of this server. Nothing else is accepted: the header is
/// one constant text, so that no algorithm is negotiated.
class SessionTokens {
 public:
  /// A random secret: tokens are good for as long as this object.
  SessionTokens();
  /// `secret` has at least `secret_bytes_min` bytes.
  explicit SessionTokens(std::string secret) : secret_(std::move(secret)) {}

  /// A token with a new random `jti`, which is put into `claims`.
  [[nodiscard]] std::string issue(SessionClaims& claims) const;
  /// The claims of a token of this server that has not expired at `now_s` (Unix time). Otherwise `bad_token`
  /// or `token_expired`. Takes the same time for all wrong signatures.
  [[nodiscard]] base::Result<SessionClaims, base::Refusal> verify(std::string_view token,
                                                                  std::int64_t now_s) const;
  /// Whether `token` has the header of these tokens, and is none of other issuers.
  [[nodiscard]] static bool looks_like_one(std::string_view token);

  static constexpr std::size_t secret_bytes_min = 32;
  static constexpr std::size_t token_bytes_max = 1'024;

 private:
  [[nodiscard]] std::string signature(std::string_view signed_part) const;

  std::string secret_;
};

}  // namespace roomcast::auth

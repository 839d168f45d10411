#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "base/result.h"
#include "jose/algorithm.h"

namespace roomcast::jose {

/// The largest token in bytes. Servers and proxies allow about as much for all headers of a request.
inline constexpr std::size_t token_bytes_max = 8192;
/// The largest `kid` in bytes.
inline constexpr std::size_t kid_bytes_max = 200;

/// A refusal with the code bad_token.
[[nodiscard]] base::Refusal bad_token(base::RefusalMessage message);

/// A token whose form and header have been read, and nothing else: its signature and its payload still have
/// to be verified. Holds a copy of the token, so that it can wait for keys.
class ParsedToken {
 public:
  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  /// The name of the key that the issuer has signed with: any text, only ever compared with those of keys.
  [[nodiscard]] const std::optional<std::string>& kid() const { return kid_; }
  /// The text that is signed: header and payload as they came.
  [[nodiscard]] std::string_view signing_input() const {
    return std::string_view(token_).substr(0, signature_at_ - 1);
  }
  /// The payload in base64url.
  [[nodiscard]] std::string_view payload() const {
    return std::string_view(token_).substr(payload_at_, signature_at_ - 1 - payload_at_);
  }
  /// The bytes of the signature.
  [[nodiscard]] std::string_view signature() const { return signature_; }

 private:
  friend class TokenReader;
  ParsedToken() = default;

  std::string token_;
  std::size_t payload_at_ = 0;
  std::size_t signature_at_ = 0;
  std::string signature_;
  Algorithm algorithm_ = Algorithm::hs256;
  std::optional<std::string> kid_;
};

/// Reads a JWT in the compact form of RFC 7515 section 7.1, strictly and without any cryptography: three
/// parts of canonical base64url, a header that is one JSON object with a supported `alg`, nothing that
/// changes what is signed (`crit`, `b64`), no encryption (RFC 7516). Keys in the header (`jwk`, `jku`, `x5u`,
/// `x5c`) are ignored, and none is ever fetched. All refusals have the code bad_token, and a message that
/// does not contain the token.
[[nodiscard]] base::Result<ParsedToken, base::Refusal> parse(std::string_view compact);

/// Reads tokens as `parse` does, and remembers the header of the last one: those of an issuer mostly have the
/// same, byte for byte.
class TokenReader {
 public:
  [[nodiscard]] base::Result<ParsedToken, base::Refusal> parse(std::string_view compact);

 private:
  [[nodiscard]] std::optional<base::Refusal> read_header(std::string_view encoded);

  std::string header_;  // in base64url; empty: none
  Algorithm algorithm_ = Algorithm::hs256;
  std::optional<std::string> kid_;
};

}  // namespace roomcast::jose

#include "jose/verify.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/digest.h"
#include "jose/strict_json.h"

namespace roomcast::jose {
namespace {

using base::Refusal;

enum class Match : std::uint8_t { no, unnamed, named };

Match match(const ParsedToken& token, const Key& key) {
  if (!token.kid()) return Match::named;
  if (!key.kid()) return Match::unnamed;
  return *key.kid() == *token.kid() ? Match::named : Match::no;
}

bool has_key_named_by(const ParsedToken& token, const KeySet& keys) {
  return std::any_of(keys.keys().begin(), keys.keys().end(),
                     [&](const Key& key) { return match(token, key) == Match::named; });
}

/// Whether a set without a key of the token's name could have one after being fetched again.
bool names_keys(const KeySet& keys) {
  return keys.empty() || std::any_of(keys.keys().begin(), keys.keys().end(),
                                     [](const Key& key) { return key.kid().has_value(); });
}

Refusal refusal_of(const ParsedToken& token, const KeySet& keys, bool has_tried) {
  if (token.kid() && names_keys(keys) && !has_key_named_by(token, keys))
    return {Refusal::Code::unknown_key, "no key with kid " + quoted(*token.kid())};
  if (keys.empty()) return {Refusal::Code::unknown_key, "there are no keys to verify the token with"};
  if (!has_tried) {
    const std::string algorithm(to_string(token.algorithm()));
    if (token.kid() && has_key_named_by(token, keys))
      return bad_token("the key with kid " + quoted(*token.kid()) + " is not for " + algorithm);
    return bad_token("no key is for " + algorithm);
  }
  return bad_token("the signature of the token does not match");
}

}  // namespace

std::optional<Refusal> check_signature(const ParsedToken& token, const KeySet& keys) {
  std::size_t tried = 0;
  for (const Match wanted : {Match::named, Match::unnamed}) {
    for (const Key& key : keys.keys()) {
      if (match(token, key) != wanted || !key.algorithms().has(token.algorithm())) continue;
      if (tried == signature_checks_max) {
        return bad_token("more than " + std::to_string(signature_checks_max) +
                         " keys could have signed the token; it must name one of its own (kid)");
      }
      ++tried;
      if (key.verify(token.algorithm(), token.signing_input(), token.signature())) return std::nullopt;
    }
  }
  return refusal_of(token, keys, tried > 0);
}

base::Result<Claims, Refusal> verify(const ParsedToken& token, const KeySet& keys,
                                     const Expectations& expectations) {
  if (auto refusal = check_signature(token, keys)) return std::move(*refusal);
  std::string payload;
  if (!base::base64url_decode(token.payload(), payload))
    return bad_token("the payload of the token is not base64url");
  auto claims = read_claims(std::move(payload));
  if (!claims) return claims;
  if (auto refusal = check_claims(*claims, expectations)) return std::move(*refusal);
  return claims;
}

}  // namespace roomcast::jose

#include "auth/session_tokens.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <utility>

#include "base/digest.h"
#include "base/json.h"
#include "base/json_reader.h"

namespace roomcast::auth {

namespace {

using Code = base::Refusal::Code;

constexpr std::size_t token_id_bytes = 12;

const std::string& header() {
  static const std::string text = [] {
    std::string encoded;
    base::append_base64url(encoded, R"({"alg":"HS256","typ":"roomcast-session"})");
    return encoded + '.';
  }();
  return text;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  // Without randomness anybody could make tokens.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) std::abort();
  return bytes;
}

void append_text(std::string& json, std::string_view name, std::string_view value) {
  json.append(json.empty() ? "{\"" : ",\"").append(name).append("\":");
  base::append_json_string(json, value);
}

base::Refusal foreign() {
  return {Code::bad_token, "the session cookie is none of this server: sign in again"};
}

SessionClaims read_claims(std::string_view json) {
  constexpr auto number_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  SessionClaims claims;
  base::JsonMembers members{base::JsonValue(json)};
  while (const auto member = members.next()) {
    if (member->name.equals("sub")) member->value.append_text(claims.user);
    if (member->name.equals("pwf")) member->value.append_text(claims.fingerprint);
    if (member->name.equals("jti")) member->value.append_text(claims.token_id);
    const auto seconds = static_cast<std::int64_t>(member->value.to_unsigned(number_max).value_or(0));
    if (member->name.equals("iat")) claims.issued_s = seconds;
    if (member->name.equals("exp")) claims.expires_s = seconds;
  }
  return claims;
}

}  // namespace

SessionTokens::SessionTokens() : secret_(random_bytes(secret_bytes_min)) {}

std::string SessionTokens::issue(SessionClaims& claims) const {
  claims.token_id.clear();
  base::append_base64url(claims.token_id, random_bytes(token_id_bytes));
  std::string json;
  append_text(json, "sub", claims.user);
  append_text(json, "pwf", claims.fingerprint);
  append_text(json, "jti", claims.token_id);
  json.append(",\"iat\":").append(std::to_string(claims.issued_s));
  json.append(",\"exp\":").append(std::to_string(claims.expires_s)).append("}");
  std::string token = header();
  base::append_base64url(token, json);
  return token + '.' + signature(token);
}

base::Result<SessionClaims, base::Refusal> SessionTokens::verify(std::string_view token,
                                                                 std::int64_t now_s) const {
  const std::size_t last_dot = token.rfind('.');
  if (!looks_like_one(token) || token.size() > token_bytes_max || last_dot < header().size())
    return foreign();
  const std::string_view signed_part = token.substr(0, last_dot);
  const std::string expected = signature(signed_part);
  const std::string_view given = token.substr(last_dot + 1);
  if (!base::equal_in_constant_time(given, expected)) return foreign();
  std::string json;
  if (!base::base64url_decode(signed_part.substr(header().size()), json) || !base::is_valid_json(json))
    return foreign();
  SessionClaims claims = read_claims(json);
  if (claims.expires_s > now_s) return claims;
  return base::Refusal{Code::token_expired, "the session ended " + std::to_string(now_s - claims.expires_s) +
                                                " s ago: sign in again"};
}

bool SessionTokens::looks_like_one(std::string_view token) { return token.starts_with(header()); }

std::string SessionTokens::signature(std::string_view signed_part) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
           reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), mac.data(),
           &size) == nullptr)
    std::abort();
  std::string text;
  base::append_base64url(text, {reinterpret_cast<const char*>(mac.data()), size});
  return text;
}

}  // namespace roomcast::auth

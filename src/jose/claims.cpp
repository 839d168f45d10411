#include "jose/claims.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "jose/strict_json.h"
#include "jose/token.h"

namespace roomcast::jose {
namespace {

using base::JsonKind;
using base::JsonValue;
using base::Refusal;
using Code = Refusal::Code;

enum class Rounding : std::uint8_t { down, up };

/// A NumericDate (RFC 7519 section 2), which may have a fraction and an exponent, in whole seconds. Nothing
/// if it is not a number of at most 2^53 either way: larger ones have no exact value in many readers.
std::optional<std::int64_t> date_of(const JsonValue& value, Rounding rounding) {
  constexpr double max = 9007199254740992.0;
  if (!value.is(JsonKind::number)) return std::nullopt;
  const std::string_view text = value.raw();
  double seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  if (!(std::abs(seconds) <= max)) return std::nullopt;
  return static_cast<std::int64_t>(rounding == Rounding::up ? std::ceil(seconds) : std::floor(seconds));
}

std::optional<Refusal> read_issuer(const JsonValue& value, std::string& out) {
  auto text = text_of(value);
  if (!text) return bad_token("the claim iss of the token is not a text");
  out = std::move(*text);
  return std::nullopt;
}

std::optional<Refusal> read_date(const JsonValue& value, std::string_view name, Rounding rounding,
                                 std::optional<std::int64_t>& out) {
  out = date_of(value, rounding);
  if (!out) return bad_token("the claim " + std::string(name) + " of the token is not a time in seconds");
  return std::nullopt;
}

/// RFC 7519 section 4.1.3: a text or an array of texts.
std::optional<Refusal> read_audience(const JsonValue& value, std::vector<std::string>& out) {
  constexpr const char* message = "the claim aud of the token is neither a text nor an array of texts";
  if (!value.is(JsonKind::array)) {
    auto text = text_of(value);
    if (!text) return bad_token(std::string(message));
    out.push_back(std::move(*text));
    return std::nullopt;
  }
  base::JsonElements elements(value);
  while (const auto element = elements.next()) {
    auto text = text_of(*element);
    if (!text) return bad_token(std::string(message));
    out.push_back(std::move(*text));
  }
  return std::nullopt;
}

std::optional<Refusal> read_claim(const base::JsonObject::Member& claim, Claims& claims) {
  const auto& [name, value] = claim;
  if (name == "iss") return read_issuer(value, claims.issuer);
  if (name == "aud") return read_audience(value, claims.audience);
  if (name == "exp") return read_date(value, "exp", Rounding::down, claims.expires_s);
  if (name == "nbf") return read_date(value, "nbf", Rounding::up, claims.not_before_s);
  if (name == "iat") return read_date(value, "iat", Rounding::down, claims.issued_s);
  return std::nullopt;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t names_max = 4;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i)
    out.append(i > 0 ? ", " : "").append(quoted(names[i]));
  if (names.size() > names_max) out += " and others";
  return out;
}

std::optional<Refusal> check_issuer(const Claims& claims, const Expectations& expectations) {
  if (expectations.issuer.empty() || claims.issuer == expectations.issuer) return std::nullopt;
  const std::string is = claims.issuer.empty() ? std::string("the token names no issuer; it must be from ")
                                               : "the token is from " + quoted(claims.issuer) + ", not from ";
  return Refusal{Code::wrong_issuer, is + quoted(expectations.issuer)};
}

std::optional<Refusal> check_audience(const Claims& claims, const Expectations& expectations) {
  const std::vector<std::string>& expected = expectations.audience;
  if (expected.empty() || std::find_first_of(claims.audience.begin(), claims.audience.end(), expected.begin(),
                                             expected.end()) != claims.audience.end())
    return std::nullopt;
  const std::string is = claims.audience.empty()
                             ? std::string("the token names no audience; it must be for ")
                             : "the token is for " + listed(claims.audience) + ", not for ";
  return Refusal{Code::wrong_audience, is + listed(expected)};
}

std::optional<Refusal> check_times(const Claims& claims, const Expectations& expectations) {
  const std::int64_t now = expectations.now_s;
  const std::int64_t leeway = expectations.leeway_s;
  if (!claims.expires_s && expectations.require_expiry)
    return bad_token("the token never expires, but must (exp)");
  if (claims.expires_s && now - leeway >= *claims.expires_s)
    return Refusal{Code::token_expired,
                   "token expired " + std::to_string(now - *claims.expires_s) + " s ago"};
  if (claims.not_before_s && now + leeway < *claims.not_before_s) {
    return Refusal{Code::token_not_yet_valid,
                   "token is not valid for another " + std::to_string(*claims.not_before_s - now) + " s"};
  }
  if (claims.issued_s && now + leeway < *claims.issued_s) {
    return Refusal{Code::token_not_yet_valid, "token was issued " + std::to_string(*claims.issued_s - now) +
                                                  " s in the future: the clocks differ"};
  }
  return std::nullopt;
}

}  // namespace

base::Result<Claims, Refusal> read_claims(std::string json) {
  Claims claims;
  claims.json = std::make_unique<const std::string>(std::move(json));
  auto object = base::read_json_object(*claims.json);
  if (!object) return bad_token("the payload of the token " + object.error().message);
  claims.object = std::move(*object);
  for (const base::JsonObject::Member& member : claims.object.members) {
    if (auto refusal = read_claim(member, claims)) return std::move(*refusal);
  }
  return claims;
}

std::optional<Refusal> check_claims(const Claims& claims, const Expectations& expectations) {
  if (auto refusal = check_issuer(claims, expectations)) return refusal;
  if (auto refusal = check_audience(claims, expectations)) return refusal;
  return check_times(claims, expectations);
}

}  // namespace roomcast::jose

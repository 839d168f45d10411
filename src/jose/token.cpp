#include "jose/token.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "base/json_object.h"
#include "base/text.h"
#include "jose/strict_json.h"

namespace roomcast::jose {
namespace {

using base::JsonValue;
using base::Refusal;

/// What of a header is used.
struct Header {
  std::optional<JsonValue> alg;
  std::optional<JsonValue> kid;
  std::optional<JsonValue> typ;
  bool is_encrypted = false;      // enc: RFC 7516 section 4.1.2
  bool has_extensions = false;    // crit: RFC 7515 section 4.1.11
  bool has_plain_option = false;  // b64: RFC 7797
};

Header header_of(const base::JsonObject& object) {
  Header header;
  for (const auto& [name, value] : object.members) {
    if (name == "alg") header.alg = value;
    if (name == "kid") header.kid = value;
    if (name == "typ") header.typ = value;
    if (name == "enc") header.is_encrypted = true;
    if (name == "crit") header.has_extensions = true;
    if (name == "b64") header.has_plain_option = true;
  }
  return header;
}

/// Whether `typ` is that of a JWT (RFC 7519 section 5.1) or of an access token (RFC 9068 section 2.1). Other
/// types are of tokens that were made for something else (RFC 8725 section 3.11).
bool is_type_of_token(const JsonValue& typ) {
  const auto text = text_of(typ);
  if (!text) return false;
  constexpr std::string_view prefix = "application/";
  std::string_view type = *text;
  if (base::equals_ignoring_case(type.substr(0, prefix.size()), prefix)) type.remove_prefix(prefix.size());
  return base::equals_ignoring_case(type, "jwt") || base::equals_ignoring_case(type, "at+jwt");
}

std::optional<Refusal> check_header(const Header& header) {
  if (header.is_encrypted) return bad_token("the token is encrypted (JWE), which is not supported");
  if (header.has_extensions) return bad_token("the header of the token has critical extensions (crit)");
  if (header.has_plain_option) return bad_token("the header of the token has the option b64");
  if (!header.alg) return bad_token("the header of the token names no algorithm (alg)");
  if (header.typ && !is_type_of_token(*header.typ))
    return bad_token("the header of the token has a type (typ) other than JWT and at+jwt");
  return std::nullopt;
}

base::Result<Algorithm, Refusal> read_algorithm(const JsonValue& alg) {
  const auto name = text_of(alg);
  if (!name) return bad_token("the algorithm (alg) of the token is not a text");
  const auto algorithm = algorithm_from(*name);
  if (!algorithm) return bad_token("the algorithm " + quoted(*name) + " of the token is not supported");
  return *algorithm;
}

/// Where the parts of a token begin.
struct Parts {
  std::size_t payload = 0;
  std::size_t signature = 0;
};

base::Result<Parts, Refusal> split(std::string_view token) {
  if (token.size() > token_bytes_max) {
    return bad_token("the token has " + std::to_string(token.size()) + " bytes; " +
                     std::to_string(token_bytes_max) + " are allowed");
  }
  constexpr std::ptrdiff_t dots = 2;
  constexpr std::ptrdiff_t dots_of_encrypted = 4;
  const auto found = std::count(token.begin(), token.end(), '.');
  if (found == dots_of_encrypted) return bad_token("the token is encrypted (JWE), which is not supported");
  if (found != dots) {
    return bad_token("a token has three parts with dots between them; this one has " +
                     std::to_string(found + 1));
  }
  const std::size_t payload = token.find('.') + 1;
  return Parts{payload, token.find('.', payload) + 1};
}

}  // namespace

Refusal bad_token(base::RefusalMessage message) { return {Refusal::Code::bad_token, std::move(message)}; }

base::Result<ParsedToken, Refusal> parse(std::string_view compact) { return TokenReader().parse(compact); }

/// Takes over what the header says, if it is good.
std::optional<Refusal> TokenReader::read_header(std::string_view encoded) {
  header_.clear();
  std::string json;
  if (!base::base64url_decode(encoded, json)) return bad_token("the header of the token is not base64url");
  const auto object = base::read_json_object(json);
  if (!object) return bad_token("the header of the token " + object.error().message);
  const Header header = header_of(*object);
  if (auto refusal = check_header(header)) return refusal;
  const auto algorithm = read_algorithm(*header.alg);
  if (!algorithm) return algorithm.error();
  std::optional<std::string> kid;
  if (header.kid) {
    kid = text_of(*header.kid);
    if (!kid || kid->size() > kid_bytes_max) {
      return bad_token("the key (kid) that the token names is not a text of at most " +
                       std::to_string(kid_bytes_max) + " bytes");
    }
  }
  algorithm_ = *algorithm;
  kid_ = std::move(kid);
  header_ = encoded;
  return std::nullopt;
}

base::Result<ParsedToken, Refusal> TokenReader::parse(std::string_view compact) {
  const auto parts = split(compact);
  if (!parts) return parts.error();
  const auto [payload, signature] = *parts;
  const std::string_view header = compact.substr(0, payload - 1);
  if (header.empty() || header != header_) {
    if (auto refusal = read_header(header)) return std::move(*refusal);
  }

  ParsedToken token;
  token.algorithm_ = algorithm_;
  token.kid_ = kid_;
  if (!base::base64url_decode(compact.substr(signature), token.signature_))
    return bad_token("the signature of the token is not base64url");
  if (token.signature_.empty()) return bad_token("the token has no signature");
  token.token_ = compact;
  token.payload_at_ = payload;
  token.signature_at_ = signature;
  return token;
}

}  // namespace roomcast::jose

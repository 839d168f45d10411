#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "check.h"
#include "jose/verify.h"

using namespace roomcast;

namespace {

const std::string secret = "thirty-two bytes for the fuzzer.";

/// A secret without a name, and the public keys of RFC 7515 A.3 and RFC 8037 A.4.
const jose::KeySet& keys() {
  static const jose::KeySet set = [] {
    std::string k;
    base::append_base64url(k, secret);
    auto read = jose::KeySet::from_jwks(
        R"({"keys":[{"kty":"oct","alg":"HS256","k":")" + k +
            R"("},{"kty":"EC","kid":"a","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
            R"({"kty":"OKP","kid":"b","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})",
        {jose::Algorithm::hs256, jose::Algorithm::es256, jose::Algorithm::eddsa}, jose::JwksOrigin::file);
    FUZZ_CHECK(read.ok());
    return std::move(*read);
  }();
  return set;
}

void check_refusal(const base::Refusal& refusal) {
  FUZZ_CHECK(base::describe(refusal.code).http == 401);
  FUZZ_CHECK(!refusal.message.empty() && base::is_valid_utf8(refusal.message.view()));
  for (const char c : refusal.message.view())
    FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20);
}

/// Verifies `token`; what is accepted has claims that fit its text.
bool check_token(std::string_view token) {
  const jose::Expectations expectations{
      .issuer = "joe", .audience = {"chat"}, .leeway_s = 5, .now_s = 1300819000};
  const auto parsed = jose::parse(token);
  if (!parsed) {
    FUZZ_CHECK(parsed.error().code == base::Refusal::Code::bad_token);
    check_refusal(parsed.error());
    return false;
  }
  FUZZ_CHECK(token.size() <= jose::token_bytes_max);
  // Canonical: the parts give the token again.
  std::string again(parsed->signing_input());
  again += '.';
  base::append_base64url(again, parsed->signature());
  FUZZ_CHECK(again == token);
  const auto claims = jose::verify(*parsed, keys(), expectations);
  if (!claims) {
    check_refusal(claims.error());
    return false;
  }
  FUZZ_CHECK(claims->issuer == "joe");
  FUZZ_CHECK(!claims->expires_s || *claims->expires_s > 1300819000 - 5);
  FUZZ_CHECK(base::is_valid_json(*claims->json) && base::JsonValue(*claims->json).is(base::JsonKind::object));
  FUZZ_CHECK(claims->object.find("iss").has_value());
  return true;
}

/// `header` and `payload` as a token with a good signature by HS256.
std::string signed_token(std::string_view header, std::string_view payload) {
  std::string token;
  base::append_base64url(token, header);
  token += '.';
  base::append_base64url(token, payload);
  std::array<unsigned char, 32> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(), &size);
  token += '.';
  base::append_base64url(token, {reinterpret_cast<const char*>(mac.data()), mac.size()});
  return token;
}

}  // namespace

/// The input is read as a token. With a line break in it, it is also the header and the payload of one that
/// is signed, so that the payload is reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is detected.
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)check_token(text);
  const std::size_t line = text.find('\n');
  if (line == std::string::npos) return 0;
  const std::string token =
      signed_token(std::string_view(text).substr(0, line), std::string_view(text).substr(line + 1));
  (void)check_token(token);
  // A signature covers every byte in front of it.
  std::string changed = token;
  changed[size % (token.rfind('.'))] ^= 1;
  FUZZ_CHECK(!check_token(changed));
  return 0;
}

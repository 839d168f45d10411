#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "jose/key_set.h"
#include "jose/token.h"
#include "jose/verify.h"

namespace vectors_test {

using namespace roomcast;
using namespace roomcast::jose;

namespace {

const std::string joe_payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const std::string rfc7515_a1_key =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
const std::string rfc7515_a1_token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + joe_payload +
                                     ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

const std::string rfc7515_a2_key =
    R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS)"
    R"(2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5r)"
    R"(exMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF)"
    R"(8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})";
const std::string rfc7515_a2_token =
    "eyJhbGciOiJSUzI1NiJ9." + joe_payload +
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CU"
    "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
    "eSN9383LcOLn6_dO--"
    "xi12jzDwusC-"
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_Ioy"
    "pGlUPQGe77Rw";

const std::string rfc7515_a3_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
const std::string rfc7515_a3_token =
    "eyJhbGciOiJFUzI1NiJ9." + joe_payload +
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

const std::string rfc7515_a4_key =
    R"({"kty":"EC","crv":"P-521",)"
    R"("x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",)"
    R"("y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})";
const std::string rfc7515_a4_token =
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-"
    "KGDKB34XO"
    "0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";

const std::string rfc8037_a4_key =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
const std::string rfc8037_a4_token =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
    "09PGcvMg3AIbQR6dWbhijcNR4k"
    "i4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// The RSA key of RFC 7520 section 3.3.
const std::string rfc7520_key =
    R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_K)"
    R"(uKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrH)"
    R"(qkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3)"
    R"(-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"})";
const std::string rfc7520_rs256_token =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9h"
    "ZCwgYW5k"
    "IGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9m"
    "ZiB0by4."
    "MRjdkly7_-"
    "oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA"
    "78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_"
    "qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQ"
    "dLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_"
    "fcIe8u9ipH84ogoree7vjbU5y18"
    "kDquDg";

KeySet key_set(const std::string& jwk, AlgorithmSet allowed) {
  auto keys = KeySet::from_jwks(R"({"keys":[)" + jwk + "]}", allowed, JwksOrigin::file);
  REQUIRE_MESSAGE(keys.ok(), (keys.ok() ? "" : keys.error().message));
  return std::move(*keys);
}

/// The instant of 2011 in which the tokens of RFC 7515 expire.
constexpr std::int64_t joe_expires_s = 1300819380;

void check_joe(const std::string& token, const KeySet& keys) {
  const auto parsed = parse(token);
  REQUIRE(parsed.ok());
  const auto claims = verify(*parsed, keys, {.issuer = "joe", .audience = {}, .now_s = joe_expires_s - 1});
  REQUIRE(claims.ok());
  CHECK(claims->issuer == "joe");
  CHECK(claims->expires_s == joe_expires_s);
  REQUIRE(claims->object.find("http://example.com/is_root").has_value());
  CHECK(claims->object.find("http://example.com/is_root")->to_bool() == true);
  const auto late = verify(*parsed, keys, {.issuer = "joe", .audience = {}, .now_s = joe_expires_s});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == base::Refusal::Code::token_expired);
}

/// A signature whose payload is no JSON object: it is verified, and then refused as the payload of a token.
void check_signed_text(const std::string& token, const KeySet& keys) {
  const auto parsed = parse(token);
  REQUIRE(parsed.ok());
  CHECK_FALSE(check_signature(*parsed, keys).has_value());
  const auto claims = verify(*parsed, keys, {});
  REQUIRE_FALSE(claims.ok());
  CHECK(claims.error().code == base::Refusal::Code::bad_token);
  CHECK(claims.error().message == "the payload of the token is not JSON");
}

}  // namespace

TEST_CASE("RFC 7515 A.1: HS256") { check_joe(rfc7515_a1_token, key_set(rfc7515_a1_key, {Algorithm::hs256})); }

TEST_CASE("RFC 7515 A.2: RS256") { check_joe(rfc7515_a2_token, key_set(rfc7515_a2_key, {Algorithm::rs256})); }

TEST_CASE("RFC 7515 A.3: ES256") { check_joe(rfc7515_a3_token, key_set(rfc7515_a3_key, {Algorithm::es256})); }

TEST_CASE("RFC 7515 A.4: ES512 is not supported, nor is its curve") {
  const auto parsed = parse(rfc7515_a4_token);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().code == base::Refusal::Code::bad_token);
  CHECK(parsed.error().message == "the algorithm \"ES512\" of the token is not supported");
  const auto keys =
      KeySet::from_jwks(R"({"keys":[)" + rfc7515_a4_key + "]}", {Algorithm::es256}, JwksOrigin::file);
  REQUIRE_FALSE(keys.ok());
  CHECK(keys.error().message ==
        "the JWK Set has no key that can be used: key 1 is skipped: it is of a type (kty, crv) that is not "
        "supported");
}

TEST_CASE("RFC 7520 section 4.1: RS256 with a kid") {
  check_signed_text(rfc7520_rs256_token, key_set(rfc7520_key, {Algorithm::rs256}));
}

TEST_CASE("RFC 8037 A.4: Ed25519") {
  check_signed_text(rfc8037_a4_token, key_set(rfc8037_a4_key, {Algorithm::eddsa}));
}

TEST_CASE("RFC 7517 A.1: of two public keys the one for encryption is skipped") {
  const std::string jwks =
      R"({"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
      R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},)"
      R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE)"
      R"(CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqz)"
      R"(s8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIq)"
      R"(bw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]})";
  const auto keys =
      KeySet::from_jwks(jwks, {Algorithm::es256, Algorithm::rs256, Algorithm::ps256}, JwksOrigin::url);
  REQUIRE(keys.ok());
  REQUIRE(keys->keys().size() == 1);
  CHECK(keys->keys()[0].kid() == "2011-04-29");
  CHECK(keys->keys()[0].algorithms() == AlgorithmSet{Algorithm::rs256});
  REQUIRE(keys->skipped().size() == 1);
  CHECK(keys->skipped()[0] == "key 1 (\"1\") is skipped: it is not for signatures (use)");
}

}  // namespace vectors_test

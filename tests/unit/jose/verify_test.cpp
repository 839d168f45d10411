#include "jose/verify.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "support/jose_keys.h"

namespace verify_test {

using namespace roomcast;
using namespace roomcast::jose;
using test::JoseSigner;
using test::signer_of;
using Code = base::Refusal::Code;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;
const std::string payload = R"({"sub":"ada","exp":1700000060})";

Expectations expectations() { return {.issuer = "", .audience = {}, .now_s = now_s}; }

KeySet read_keys(const std::string& jwks, AlgorithmSet allowed = test::every_algorithm()) {
  auto keys = KeySet::from_jwks(R"({"keys":[)" + jwks + "]}", allowed, JwksOrigin::file);
  REQUIRE_MESSAGE(keys.ok(), (keys.ok() ? "" : keys.error().message));
  return std::move(*keys);
}

/// The outcome for a token: its payload, or the code and message of the refusal.
struct Outcome {
  std::string json;
  Code code = Code::count_;
  std::string message;
};

Outcome outcome_of(std::string_view token, const KeySet& keys) {
  const auto parsed = parse(token);
  if (!parsed) return {"", parsed.error().code, std::string(parsed.error().message.view())};
  const auto claims = verify(*parsed, keys, expectations());
  if (!claims) return {"", claims.error().code, std::string(claims.error().message.view())};
  return {*claims->json, Code::count_, ""};
}

void check_accepted(std::string_view token, const KeySet& keys) {
  const Outcome outcome = outcome_of(token, keys);
  CHECK(outcome.message == "");
  CHECK(outcome.json == payload);
}

void check_refused(std::string_view token, const KeySet& keys, Code code, std::string_view message) {
  const Outcome outcome = outcome_of(token, keys);
  CHECK(outcome.json == "");
  CHECK(outcome.code == code);
  CHECK(outcome.message == message);
}

constexpr std::string_view no_match = "the signature of the token does not match";

}  // namespace

TEST_CASE("verify: a token of each algorithm is accepted by a set that has all keys") {
  std::string jwks;
  for (const KeyType type : {KeyType::secret, KeyType::rsa, KeyType::p256, KeyType::p384, KeyType::ed25519})
    jwks.append(jwks.empty() ? "" : ",").append(signer_of(type).jwk());
  const KeySet keys = read_keys(jwks);
  for (const Algorithm algorithm : test::all_algorithms) {
    CAPTURE(to_string(algorithm));
    check_accepted(signer_of(algorithm).token_of(algorithm, payload), keys);
    check_accepted(signer_of(algorithm).token_of(algorithm, payload, R"(,"typ":"JWT","kid":"any")"), keys);
  }
}

TEST_CASE("verify: the key is chosen by kid, and one without a name is tried for all") {
  const JoseSigner& a = signer_of(KeyType::p256);
  const JoseSigner b = JoseSigner::ec();
  const JoseSigner unnamed = JoseSigner::ec();
  const auto token = [](const JoseSigner& signer, std::string_view members) {
    return signer.token_of(Algorithm::es256, payload, members);
  };
  const KeySet named = read_keys(a.jwk(R"(,"kid":"a")") + ',' + b.jwk(R"(,"kid":"b")"));
  check_accepted(token(a, R"(,"kid":"a")"), named);
  check_accepted(token(b, R"(,"kid":"b")"), named);
  check_accepted(token(b, ""), named);
  check_refused(token(b, R"(,"kid":"a")"), named, Code::bad_token, no_match);
  check_refused(token(a, R"(,"kid":"A")"), named, Code::unknown_key, "no key with kid \"A\"");
  check_refused(token(unnamed, ""), named, Code::bad_token, no_match);

  const KeySet mixed = read_keys(a.jwk(R"(,"kid":"a")") + ',' + unnamed.jwk());
  check_accepted(token(unnamed, R"(,"kid":"a")"), mixed);
  check_accepted(token(unnamed, R"(,"kid":"new")"), mixed);
  check_refused(token(b, R"(,"kid":"new")"), mixed, Code::unknown_key, "no key with kid \"new\"");
  check_refused(token(b, R"(,"kid":"a")"), mixed, Code::bad_token, no_match);

  // Of a single key without a name, the token's name says nothing.
  const KeySet single = read_keys(unnamed.jwk());
  check_refused(token(b, R"(,"kid":"new")"), single, Code::bad_token, no_match);
  check_refused(signer_of(KeyType::rsa).token_of(Algorithm::rs256, payload, R"(,"kid":"new")"), single,
                Code::bad_token, "no key is for RS256");
}

TEST_CASE("verify: both of two keys with one kid are tried") {
  const JoseSigner& a = signer_of(KeyType::p256);
  const JoseSigner b = JoseSigner::ec();
  const KeySet keys = read_keys(a.jwk(R"(,"kid":"a")") + ',' + b.jwk(R"(,"kid":"a")"));
  check_accepted(a.token_of(Algorithm::es256, payload, R"(,"kid":"a")"), keys);
  check_accepted(b.token_of(Algorithm::es256, payload, R"(,"kid":"a")"), keys);
}

TEST_CASE("verify: without keys every key is unknown") {
  const std::string token = signer_of(KeyType::p256).token_of(Algorithm::es256, payload);
  check_refused(token, KeySet(), Code::unknown_key, "there are no keys to verify the token with");
  const std::string named = signer_of(KeyType::p256).token_of(Algorithm::es256, payload, R"(,"kid":"a")");
  check_refused(named, KeySet(), Code::unknown_key, "no key with kid \"a\"");
}

TEST_CASE("verify: the kid of a message is escaped and cut") {
  const KeySet keys = read_keys(signer_of(KeyType::p256).jwk(R"(,"kid":"a")"));
  const auto token = [](const std::string& kid) {
    return signer_of(KeyType::p256).token_of(Algorithm::es256, payload, ",\"kid\":\"" + kid + '"');
  };
  check_refused(token(R"(\"\n\u001b[2J)"), keys, Code::unknown_key, "no key with kid \"\\\"\\n\\u001b[2J\"");
  check_refused(token("../../etc/passwd"), keys, Code::unknown_key, "no key with kid \"../../etc/passwd\"");
  check_refused(token(std::string(200, 'k')), keys, Code::unknown_key,
                "no key with kid \"" + std::string(64, 'k') + "…\"");
}

TEST_CASE("verify: a key that is named but not for the algorithm does not verify") {
  const KeySet keys = read_keys(signer_of(KeyType::rsa).jwk(R"(,"kid":"a","alg":"RS256")"));
  check_refused(signer_of(KeyType::rsa).token_of(Algorithm::ps256, payload, R"(,"kid":"a")"), keys,
                Code::bad_token, "the key with kid \"a\" is not for PS256");
  check_refused(signer_of(KeyType::rsa).token_of(Algorithm::ps256, payload), keys, Code::bad_token,
                "no key is for PS256");
}

TEST_CASE("verify: a public key does not become the secret of an HMAC") {
  const std::string pem = signer_of(KeyType::rsa).public_pem();
  auto key = Key::from_pem(pem, AlgorithmSet::of(KeyType::rsa));
  REQUIRE(key.ok());
  const KeySet keys(std::move(*key));
  for (const std::string& secret : {pem, pem.substr(0, pem.size() - 1), signer_of(KeyType::rsa).jwk()}) {
    check_refused(JoseSigner(secret).token_of(Algorithm::hs256, payload), keys, Code::bad_token,
                  "no key is for HS256");
    // The header names an algorithm of the key, the signature is an HMAC.
    check_refused(JoseSigner(secret).token(Algorithm::hs256, R"({"alg":"RS256"})", payload), keys,
                  Code::bad_token, no_match);
  }
}

TEST_CASE("verify: at most eight keys are tried for a token") {
  const JoseSigner& good = signer_of(KeyType::p256);
  std::string others;
  for (std::size_t i = 0; i < signature_checks_max - 1; ++i)
    others += JoseSigner::ec().jwk() + ',';
  const std::string token = good.token_of(Algorithm::es256, payload);
  check_accepted(token, read_keys(others + good.jwk()));
  const KeySet nine = read_keys(others + JoseSigner::ec().jwk() + ',' + good.jwk(R"(,"kid":"a")"));
  check_refused(token, nine, Code::bad_token,
                "more than 8 keys could have signed the token; it must name one of its own (kid)");
  check_accepted(good.token_of(Algorithm::es256, payload, R"(,"kid":"a")"), nine);
  // Keys that are not for the algorithm do not count.
  std::string rsa;
  for (int i = 0; i < 20; ++i)
    rsa += signer_of(KeyType::rsa).jwk() + ',';
  check_accepted(token, read_keys(rsa + good.jwk()));
}

TEST_CASE("verify: nothing of a payload is looked at before the signature is right") {
  const KeySet keys = read_keys(signer_of(KeyType::p256).jwk());
  const JoseSigner other = JoseSigner::ec();
  for (const std::string_view text : {R"({"exp":1})", "no JSON", R"({"sub":1})"})
    check_refused(other.token_of(Algorithm::es256, text), keys, Code::bad_token, no_match);
  check_refused(signer_of(KeyType::p256).token_of(Algorithm::es256, R"({"exp":1699999688})"), keys,
                Code::token_expired, "token expired 312 s ago");
}

TEST_CASE("verify: a signed payload that is not base64url is refused") {
  const JoseSigner& signer = signer_of(KeyType::secret);
  const KeySet keys = read_keys(signer.jwk());
  const std::string header = test::base64url(R"({"alg":"HS256"})");
  for (const std::string_view text : {"e30=", "e31", "e30\n", "e3 0", "{}"}) {
    const std::string input = header + '.' + std::string(text);
    check_refused(input + '.' + test::base64url(signer.sign(Algorithm::hs256, input)), keys, Code::bad_token,
                  "the payload of the token is not base64url");
  }
}

TEST_CASE("verify: no part of a token can be cut off, and no bit of it changed") {
  for (const Algorithm algorithm :
       {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa}) {
    CAPTURE(to_string(algorithm));
    const KeySet keys = read_keys(signer_of(algorithm).jwk(R"(,"kid":"a")"));
    const std::string token = signer_of(algorithm).token_of(algorithm, payload, R"(,"kid":"a")");
    check_accepted(token, keys);
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < token.size(); ++size)
      accepted += outcome_of(token.substr(0, size), keys).json.empty() ? 0 : 1;
    std::string changed = token;
    for (std::size_t i = 0; i < token.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        changed[i] = static_cast<char>(static_cast<unsigned char>(token[i]) ^ (1U << bit));
        accepted += outcome_of(changed, keys).json.empty() ? 0 : 1;
      }
      changed[i] = token[i];
    }
    CHECK(accepted == 0);
    for (const std::string_view more : {"A", "AA", "AAAA", "=", "\n", ".", "AAAAA"})
      CHECK(outcome_of(token + std::string(more), keys).code == Code::bad_token);
    check_accepted(token, keys);
  }
}

TEST_CASE("verify: the signature of one token does not fit another") {
  const JoseSigner& signer = signer_of(KeyType::ed25519);
  const KeySet keys = read_keys(signer.jwk());
  const std::string one = signer.token_of(Algorithm::eddsa, payload);
  const std::string two = signer.token_of(Algorithm::eddsa, R"({"sub":"root"})");
  check_refused(two.substr(0, two.rfind('.')) + one.substr(one.rfind('.')), keys, Code::bad_token, no_match);
}

TEST_CASE("verify: OpenSSL's queue of errors is empty after each refusal") {
  const KeySet keys = read_keys(signer_of(KeyType::rsa).jwk() + ',' + signer_of(KeyType::p256).jwk() + ',' +
                                signer_of(KeyType::ed25519).jwk());
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa}) {
    const std::string signature = signer_of(algorithm).sign(algorithm, "something else");
    const std::string zeros(signature.size(), '\0');
    for (const std::string& bytes : {signature, zeros}) {
      const std::string header = R"({"alg":")" + std::string(to_string(algorithm)) + "\"}";
      check_refused(test::compact(header, payload, bytes), keys, Code::bad_token, no_match);
      CHECK(ERR_peek_error() == 0);
    }
  }
}

}  // namespace verify_test

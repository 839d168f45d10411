#include "jose/claims.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace claims_test {

using namespace roomcast;
using namespace roomcast::jose;
using Code = base::Refusal::Code;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;

std::string refused(std::string_view json) {
  const auto claims = read_claims(std::string(json));
  if (claims.ok()) return "";
  CHECK(claims.error().code == Code::bad_token);
  return std::string(claims.error().message.view());
}

Claims claims_of(const std::string& json) {
  auto claims = read_claims(json);
  REQUIRE_MESSAGE(claims.ok(), json);
  return std::move(*claims);
}

/// Refusal of a token with these claims; nothing if it is accepted.
std::optional<base::Refusal> checked(const std::string& json, const Expectations& expectations) {
  return check_claims(claims_of(json), expectations);
}

std::string message_of(const std::optional<base::Refusal>& refusal, Code code) {
  REQUIRE(refusal.has_value());
  CHECK(refusal->code == code);
  return std::string(refusal->message.view());
}

std::string time(std::string_view name, std::int64_t seconds) {
  return "{\"" + std::string(name) + "\":" + std::to_string(seconds) + "}";
}

}  // namespace

TEST_CASE("claims: the registered ones are read, all others stay in the payload") {
  const std::string json =
      R"({"iss":"https://issuer","sub":"ad\u0061","aud":["chat","news"],"jti":"7","exp":3,"nbf":1,"iat":2,)"
      R"("name":"Ada","rooms":[{"match":"a/**"}]})";
  const Claims claims = claims_of(json);
  CHECK(claims.issuer == "https://issuer");
  CHECK(claims.audience == std::vector<std::string>{"chat", "news"});
  CHECK(claims.expires_s == 3);
  CHECK(claims.not_before_s == 1);
  CHECK(claims.issued_s == 2);
  CHECK(*claims.json == json);
  const auto raw = [&](std::string_view name) {
    const auto value = claims.object.find(name);
    return value ? std::string(value->raw()) : "none";
  };
  CHECK(raw("sub") == R"("ad\u0061")");
  CHECK(raw("jti") == R"("7")");
  CHECK(raw("name") == R"("Ada")");
  CHECK(raw("rooms") == R"([{"match":"a/**"}])");
  CHECK(raw("match") == "none");
}

TEST_CASE("claims: the object is there for as long as the claims are, wherever these are moved") {
  auto claims = read_claims(R"({"sub":"a"})");
  REQUIRE(claims.ok());
  const Claims moved = std::move(*claims);
  claims = read_claims(R"({"sub":"b"})");
  REQUIRE(moved.object.members.size() == 1);
  CHECK(moved.object.members[0].value.raw() == R"("a")");
}

TEST_CASE("claims: none has to be there") {
  const Claims claims = claims_of("{}");
  CHECK(claims.issuer.empty());
  CHECK(claims.audience.empty());
  CHECK_FALSE(claims.expires_s.has_value());
  CHECK_FALSE(claims.not_before_s.has_value());
  CHECK_FALSE(claims.issued_s.has_value());
  CHECK_FALSE(check_claims(claims, {.issuer = "", .audience = {}, .now_s = now_s}).has_value());
  CHECK(claims_of(R"({"aud":"chat"})").audience == std::vector<std::string>{"chat"});
  CHECK(claims_of(R"({"aud":[]})").audience.empty());
}

TEST_CASE("claims: a payload is one JSON object that every reader understands alike") {
  CHECK(refused("") == "the payload of the token is not JSON");
  CHECK(refused(R"({"sub":"ada","s\u0075b":"root"})") == "the payload of the token has a member twice");
  CHECK(refused("{\"a\":" + std::string(32, '[') + std::string(32, ']') + "}") ==
        "the payload of the token is nested deeper than 32");
}

TEST_CASE("claims: texts are texts, without NUL") {
  for (const std::string_view value : {"7", "null", "true", "[]", "{}", R"(["a"])", R"("a\u0000b")"})
    CHECK(refused("{\"iss\":" + std::string(value) + "}") == "the claim iss of the token is not a text");
  for (const std::string_view value :
       {"7", "null", "{}", "[7]", R"(["a",null])", R"("\u0000")", R"([["a"]])"}) {
    CHECK(refused("{\"aud\":" + std::string(value) + "}") ==
          "the claim aud of the token is neither a text nor an array of texts");
  }
}

TEST_CASE("claims: times are numbers of at most 2^53 either way") {
  const auto expires = [](std::string_view number) {
    return claims_of("{\"exp\":" + std::string(number) + "}").expires_s;
  };
  CHECK(expires("0") == 0);
  CHECK(expires("-1") == -1);
  CHECK(expires("1700000000") == 1'700'000'000);
  CHECK(expires("1.7e9") == 1'700'000'000);
  CHECK(expires("9007199254740992") == 9'007'199'254'740'992);
  CHECK(expires("-9007199254740992") == -9'007'199'254'740'992);
  for (const std::string_view value :
       {"9007199254740994", "-9007199254740994", "1e16", "1e308", "1e309", "-1e309", "1e999999999",
        "1e-999999999", "99999999999999999999999999", "\"1700000000\"", "null", "true", "[1]", "{}"}) {
    CAPTURE(value);
    for (const std::string name : {"exp", "nbf", "iat"}) {
      CHECK(refused("{\"" + name + "\":" + std::string(value) + "}") ==
            "the claim " + name + " of the token is not a time in seconds");
    }
  }
  CHECK(refused("{\"exp\":1" + std::string(999, '0') + "}") ==
        "the claim exp of the token is not a time in seconds");
  CHECK(refused("{\"exp\":1" + std::string(5000, '0') + "}") == "the payload of the token is not JSON");
}

TEST_CASE("claims: fractions never make a token valid for longer") {
  const Claims claims = claims_of(R"({"exp":10.9,"nbf":10.1,"iat":10.9})");
  CHECK(claims.expires_s == 10);
  CHECK(claims.not_before_s == 11);
  CHECK(claims.issued_s == 10);
  CHECK(claims_of(R"({"exp":-0.5})").expires_s == -1);
}

TEST_CASE("claims: a token expires at its time, plus the leeway") {
  for (const std::int64_t leeway : {0, 30}) {
    const Expectations expectations{.issuer = "", .audience = {}, .leeway_s = leeway, .now_s = now_s};
    CHECK_FALSE(checked(time("exp", now_s - leeway + 1), expectations).has_value());
    CHECK(message_of(checked(time("exp", now_s - leeway), expectations), Code::token_expired) ==
          "token expired " + std::to_string(leeway) + " s ago");
  }
  CHECK(message_of(
            checked(time("exp", now_s - 312), {.issuer = "", .audience = {}, .leeway_s = 60, .now_s = now_s}),
            Code::token_expired) == "token expired 312 s ago");
  CHECK(
      message_of(checked(time("exp", -9'007'199'254'740'992), {.issuer = "", .audience = {}, .now_s = now_s}),
                 Code::token_expired) == "token expired 9007200954740992 s ago");
}

TEST_CASE("claims: a token is valid from its time and from when it was issued, less the leeway") {
  for (const std::int64_t leeway : {0, 30}) {
    const Expectations expectations{.issuer = "", .audience = {}, .leeway_s = leeway, .now_s = now_s};
    CHECK_FALSE(checked(time("nbf", now_s + leeway), expectations).has_value());
    CHECK(message_of(checked(time("nbf", now_s + leeway + 1), expectations), Code::token_not_yet_valid) ==
          "token is not valid for another " + std::to_string(leeway + 1) + " s");
    CHECK_FALSE(checked(time("iat", now_s + leeway), expectations).has_value());
    CHECK(message_of(checked(time("iat", now_s + leeway + 1), expectations), Code::token_not_yet_valid) ==
          "token was issued " + std::to_string(leeway + 1) + " s in the future: the clocks differ");
  }
}

TEST_CASE("claims: an expiry can be required") {
  const Expectations required{.issuer = "", .audience = {}, .now_s = now_s, .require_expiry = true};
  CHECK(message_of(checked("{}", required), Code::bad_token) == "the token never expires, but must (exp)");
  CHECK_FALSE(checked(time("exp", now_s + 1), required).has_value());
}

TEST_CASE("claims: the issuer must be the one that is expected") {
  const Expectations expected{.issuer = "https://issuer", .audience = {}, .now_s = now_s};
  CHECK_FALSE(checked(R"({"iss":"https://issuer"})", expected).has_value());
  CHECK(message_of(checked(R"({"iss":"https://issuer/"})", expected), Code::wrong_issuer) ==
        "the token is from \"https://issuer/\", not from \"https://issuer\"");
  CHECK(message_of(checked("{}", expected), Code::wrong_issuer) ==
        "the token names no issuer; it must be from \"https://issuer\"");
  CHECK(message_of(checked(R"({"iss":"a\nb"})", expected), Code::wrong_issuer) ==
        "the token is from \"a\\nb\", not from \"https://issuer\"");
  CHECK_FALSE(checked(R"({"iss":"any"})", {.issuer = "", .audience = {}, .now_s = now_s}).has_value());
}

TEST_CASE("claims: one audience of several has to be expected") {
  const Expectations expected{.issuer = "", .audience = {"chat", "news"}, .now_s = now_s};
  for (const char* json : {R"({"aud":"chat"})", R"({"aud":"news"})", R"({"aud":["other","news"]})"})
    CHECK_FALSE(checked(json, expected).has_value());
  CHECK(message_of(checked(R"({"aud":"Chat"})", expected), Code::wrong_audience) ==
        "the token is for \"Chat\", not for \"chat\", \"news\"");
  CHECK(message_of(checked(R"({"aud":["a","b","c","d","e"]})", expected), Code::wrong_audience) ==
        "the token is for \"a\", \"b\", \"c\", \"d\" and others, not for \"chat\", \"news\"");
  for (const char* json : {"{}", R"({"aud":[]})"}) {
    CHECK(message_of(checked(json, expected), Code::wrong_audience) ==
          "the token names no audience; it must be for \"chat\", \"news\"");
  }
  CHECK_FALSE(checked(R"({"aud":"any"})", {.issuer = "", .audience = {}, .now_s = now_s}).has_value());
}

TEST_CASE("claims: names in messages are cut at 64 bytes, between characters") {
  const Expectations expected{.issuer = "x", .audience = {}, .now_s = now_s};
  const auto message = [&](const std::string& issuer) {
    return message_of(checked("{\"iss\":\"" + issuer + "\"}", expected), Code::wrong_issuer);
  };
  CHECK(message(std::string(64, 'a')) ==
        "the token is from \"" + std::string(64, 'a') + "\", not from \"x\"");
  CHECK(message(std::string(65, 'a')) ==
        "the token is from \"" + std::string(64, 'a') + "…\", not from \"x\"");
  CHECK(message(std::string(63, 'a') + "é") ==
        "the token is from \"" + std::string(63, 'a') + "…\", not from \"x\"");
  CHECK(message(std::string(62, 'a') + "é") ==
        "the token is from \"" + std::string(62, 'a') + "é\", not from \"x\"");
}

}  // namespace claims_test

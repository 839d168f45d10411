#include "auth/session_tokens.h"

#include <doctest/doctest.h>

#include <string>

#include "auth/cookie.h"
#include "base/digest.h"

namespace roomcast::auth::session_tokens_test {

namespace {

using Code = base::Refusal::Code;

SessionClaims claims_of_ada() { return {"ada", "finger", {}, 1'000, 2'000}; }

}  // namespace

TEST_CASE("session tokens: one is good until it expires") {
  const SessionTokens tokens;
  SessionClaims claims = claims_of_ada();
  const std::string token = tokens.issue(claims);
  CHECK(!claims.token_id.empty());
  CHECK(SessionTokens::looks_like_one(token));
  const auto read = tokens.verify(token, 1'999);
  REQUIRE(read);
  CHECK(read->user == "ada");
  CHECK(read->fingerprint == "finger");
  CHECK(read->token_id == claims.token_id);
  CHECK(read->issued_s == 1'000);
  CHECK(read->expires_s == 2'000);
  const auto expired = tokens.verify(token, 2'000);
  REQUIRE(!expired);
  CHECK(expired.error().code == Code::token_expired);
  SessionClaims again = claims_of_ada();
  CHECK(tokens.issue(again) != token);
}

TEST_CASE("session tokens: any changed byte, another secret and another algorithm are refused") {
  const SessionTokens tokens(std::string(32, 'k'));
  SessionClaims claims = claims_of_ada();
  const std::string token = tokens.issue(claims);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto read = tokens.verify(changed, 1'500);
    REQUIRE(!read);
    CHECK(read.error().code == Code::bad_token);
    // The refusal does not repeat it.
    CHECK(read.error().message.view().find(changed.substr(50, 20)) == std::string_view::npos);
  }
  for (std::size_t size = 0; size < token.size(); ++size)
    CHECK(!tokens.verify(token.substr(0, size), 1'500));
  CHECK(!tokens.verify(token + '.', 1'500));
  CHECK(!tokens.verify(token + 'A', 1'500));
  CHECK(!SessionTokens(std::string(32, 'l')).verify(token, 1'500));
  CHECK(!SessionTokens().verify(token, 1'500));
  std::string none;
  base::append_base64url(none, R"({"alg":"none","typ":"roomcast-session"})");
  CHECK(!tokens.verify(none + token.substr(token.find('.')), 1'500));
  CHECK(!tokens.verify(none + token.substr(token.find('.'), token.rfind('.') + 1 - token.find('.')), 1'500));
  CHECK(SessionTokens(std::string(32, 'k')).verify(token, 1'500));
}

TEST_CASE("session tokens: an id with quotes stays one text, and the longest fits") {
  const SessionTokens tokens;
  SessionClaims claims{R"(a","exp":9999999999,"x":")", "f", {}, 1, 2};
  const auto read = tokens.verify(tokens.issue(claims), 1);
  REQUIRE(read);
  CHECK(read->user == claims.user);
  CHECK(read->expires_s == 2);
  SessionClaims longest{std::string(100, 'a'), std::string(16, 'f'), {}, 1, 2};
  CHECK(tokens.verify(tokens.issue(longest), 1));
  CHECK(!tokens.verify(std::string(SessionTokens::token_bytes_max + 1, 'a'), 1));
}

TEST_CASE("cookie: the one of that name is found among others") {
  http::Request request;
  CHECK(cookie_of(request, "roomcast").empty());
  request.headers.add("Cookie", "theme=dark; xroomcast=no; roomcast=a.b.c; roomcast=later");
  CHECK(cookie_of(request, "roomcast") == "a.b.c");
  CHECK(cookie_of(request, "theme") == "dark");
  CHECK(cookie_of(request, "room").empty());
  http::Request several;
  several.headers.add("Cookie", "a=1;");
  several.headers.add("cookie", " roomcast=x ; b");
  CHECK(cookie_of(several, "roomcast") == "x");
  CHECK(cookie_of(several, "b").empty());
}

TEST_CASE("cookie: for scripts and other sites out of reach") {
  CHECK(session_cookie("roomcast", "t", 60, false) ==
        "roomcast=t; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
  CHECK(session_cookie("roomcast", "t", 60, true) ==
        "roomcast=t; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
}

}  // namespace roomcast::auth::session_tokens_test

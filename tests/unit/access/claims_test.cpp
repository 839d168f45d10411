#include "access/claims.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "access/policy.h"

namespace claims_test {

using namespace roomcast::access;

namespace {

/// `json` is an object.
auto profile_of(std::string_view json) {
  const auto claims = roomcast::base::read_json_object(json);
  REQUIRE_MESSAGE(claims.ok(), json);
  return profile_from_claims(*claims);
}

/// What the payload is refused with, or "taken". `claims` are added to a `sub`.
std::string outcome(const std::string& claims) {
  const auto profile = profile_of(R"({"sub":"ada")" + (claims.empty() ? "" : "," + claims) + "}");
  if (profile) return "taken";
  CHECK(profile.error().code == roomcast::base::Refusal::Code::bad_token);
  return std::string(profile.error().message.view());
}

std::string list_of(std::size_t count, std::string_view element) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i)
    out += std::string(i == 0 ? "" : ",") + std::string(element);
  return out + "]";
}

std::string text_of(std::size_t bytes) { return "\"" + std::string(bytes, 'x') + "\""; }

}  // namespace

TEST_CASE("claims: all of them are taken over") {
  const auto profile =
      profile_of(R"({"iss":"https://id.example","sub":"ada","name":"Ada L\u00e4","info":{"team":[1]},
    "roles":["staff","dev"],"rooms":[{"match":"chat/**","may":["join","publish"]},{"may":[],"match":"news"}],
    "jti":"t-1","iat":1700000000,"exp":1700000600.9,"may be":"ignored"})");
  REQUIRE(profile.ok());
  CHECK(profile->kind == Kind::user);
  CHECK(profile->proof == Proof::token);
  CHECK(profile->id == "ada");
  CHECK(profile->name == "Ada L\xC3\xA4");
  CHECK(profile->info == R"({"team":[1]})");
  CHECK(profile->roles == std::vector<std::string>{"staff", "dev"});
  REQUIRE(profile->grants.size() == 2);
  CHECK(profile->grants[0].rooms.text() == "chat/**");
  CHECK(profile->grants[0].may == PermissionSet{Permission::join, Permission::publish});
  CHECK(profile->grants[1].may.empty());
  CHECK(profile->only_room.empty());
  CHECK(profile->token_id == "t-1");
  CHECK(profile->issued_s == 1'700'000'000);
  CHECK(profile->expires_s == 1'700'000'600);
}

TEST_CASE("claims: the id of a user has to be there") {
  const auto refused = [](std::string_view payload) {
    const auto profile = profile_of(payload);
    return profile ? "taken" : std::string(profile.error().message.view());
  };
  CHECK(refused("{}") == "claims of the token: sub, the id of the user, is missing");
  const std::string sub =
      "claims of the token: sub must be a text of 1 to 100 bytes without control characters";
  for (const std::string bad : {R"(1)", R"(null)", R"("")", R"(["a"])", R"("a\u0000")", R"("\u0085")"})
    CHECK(refused(R"({"sub":)" + bad + "}") == sub);
  CHECK(refused(R"({"sub":)" + text_of(100) + "}") == "taken");
  CHECK(refused(R"({"sub":)" + text_of(101) + "}") == sub);
  CHECK(refused(R"({"s\u0075b":"a"})") == "taken");
}

TEST_CASE("claims: one of a wrong type is refused by its name, and what it holds is not repeated") {
  for (const auto& [claim, value] : {std::pair("name", "5"),
                                     {"roles", R"("hidden")"},
                                     {"roles", R"(["hidden",1])"},
                                     {"rooms", R"({"match":"hidden"})"},
                                     {"rooms", R"(["hidden"])"},
                                     {"room", "[]"},
                                     {"jti", "{}"},
                                     {"iat", R"("hidden")"},
                                     {"exp", "-1"},
                                     {"exp", "1e17"},
                                     {"exp", "null"}}) {
    CAPTURE(claim);
    CAPTURE(value);
    const std::string refused = outcome("\"" + std::string(claim) + "\":" + value);
    CHECK(refused.starts_with("claims of the token: " + std::string(claim) + " must be "));
    CHECK(refused.find("hidden") == std::string::npos);
  }
}

TEST_CASE("claims: so much is taken, and one more is refused") {
  CHECK(outcome(R"("name":)" + text_of(100)) == "taken");
  CHECK(outcome(R"("name":)" + text_of(101)) != "taken");
  CHECK(outcome(R"("info":)" + text_of(1'022)) == "taken");
  CHECK(outcome(R"("info":)" + text_of(1'023)) == "claims of the token: info must have at most 1024 bytes");
  CHECK(outcome(R"("roles":)" + list_of(32, text_of(100))) == "taken");
  CHECK(outcome(R"("roles":)" + list_of(33, R"("r")")) != "taken");
  CHECK(outcome(R"("roles":)" + list_of(1, text_of(101))) != "taken");
  CHECK(outcome(R"("rooms":)" + list_of(32, R"({"match":"a","may":[]})")) == "taken");
  CHECK(outcome(R"("rooms":)" + list_of(33, R"({"match":"a","may":[]})")) ==
        "claims of the token: rooms must have at most 32 elements");
  CHECK(outcome(R"("room":)" + text_of(200)) == "taken");
  CHECK(outcome(R"("room":)" + text_of(201)) != "taken");
  CHECK(outcome(R"("jti":)" + text_of(200)) == "taken");
  CHECK(outcome(R"("jti":)" + text_of(201)) != "taken");
  CHECK(outcome(R"("exp":9007199254740992)") == "taken");
  CHECK(outcome(R"("exp":9007199254740993e1)") != "taken");
}

TEST_CASE("claims: an element of rooms has a pattern and permissions") {
  CHECK(outcome(R"("rooms":[{"match":"a"}])") ==
        "claims of the token: rooms must be a list of objects with match and may");
  CHECK(outcome(R"("rooms":[{"may":["join"]}])") ==
        "claims of the token: rooms must be a list of objects with match and may");
  CHECK(outcome(R"("rooms":[{"match":"a","may":["fly"]}])") ==
        "claims of the token: may of rooms must be a list of join, publish, presence, history, moderate and "
        "admin");
  CHECK(outcome(R"("rooms":[{"match":"","may":[]}])")
            .starts_with("claims of the token: match of rooms must be a text"));
  CHECK(outcome(R"("rooms":[{"match":"*/a/*","may":[]}])") ==
        "claims of the token: match of rooms must have its stars in one place");
}

TEST_CASE("claims: a ticket is good for what it says, or for what an ordinary participant may") {
  const auto may = [](const std::string& claims, std::string_view room) {
    auto profile = profile_of(R"({"sub":"ada",)" + claims + "}");
    REQUIRE(profile.ok());
    return Policy().decide(Identity(std::move(*profile)), room).may;
  };
  CHECK(may(R"("room":"a")", "a") == PermissionSet::ordinary());
  CHECK(may(R"("room":"a")", "b").empty());
  CHECK(may(R"("room":"a*","may":["join"])", "a*") == PermissionSet{Permission::join});
  CHECK(may(R"("room":"a*","may":["join"])", "ab").empty());
  CHECK(may(R"("room":"a","may":[])", "a").empty());
  CHECK(may(R"("room":"a","rooms":[{"match":"**","may":["publish"]}])", "a") ==
        PermissionSet{Permission::publish});
  CHECK(outcome(R"("may":["join"])") == "claims of the token: may has a meaning beside room only");
  CHECK(outcome(R"("room":"a","may":"join")").starts_with("claims of the token: may must be a list of join"));
}

TEST_CASE("claims: the patterns of strangers have their stars in one place") {
  for (const char* good : {"a", "*", "**", "chat/**", "chat/*/mod", "**/mod", "***"}) {
    CAPTURE(good);
    CHECK(make_grant(good, {}).ok());
  }
  CHECK(make_grant(std::string(200, 'a'), {}).ok());
  for (const std::string& bad : {std::string(), std::string(201, 'a'), std::string("a\n"),
                                 std::string("\xFF"), std::string("*a*"), std::string("**/a/*")}) {
    CAPTURE(bad);
    CHECK_FALSE(make_grant(bad, {}).ok());
  }
  const auto grant = make_grant("chat/*/mod", {Permission::join});
  REQUIRE(grant.ok());
  CHECK(grant->rooms.matches("chat/tea/mod"));
  CHECK_FALSE(grant->rooms.matches("chat/a/b/mod"));
  CHECK(grant->may == PermissionSet{Permission::join});
}

}  // namespace claims_test

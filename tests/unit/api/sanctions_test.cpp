#include "api/sanctions.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "metrics/exposition.h"
#include "unit/api/operator_fixture.h"

namespace api_sanctions_test {

using namespace roomcast;
using http::Method;
using Code = base::Refusal::Code;

namespace {

// The fake clock's: 2023-11-14T22:13:20Z.
constexpr std::int64_t now_s = 1'700'000'000;

/// Keeps what it is told to once the test says so.
struct SlowKeeper final : access::Sanctions::Keeper {
  [[nodiscard]] bool keep(access::Sanctions::Id /*id*/, const access::Sanction& /*sanction*/) override {
    return change();
  }
  [[nodiscard]] bool drop(const access::Sanction& /*like*/) override { return change(); }
  [[nodiscard]] Change last_change() const override { return changes; }
  void set_listener(Listener& listener_) override { listener = &listener_; }

  [[nodiscard]] bool change() {
    if (is_busy) return false;
    ++changes;
    return true;
  }
  Change changes = 0;
  bool is_busy = false;
  Listener* listener = nullptr;
};

struct KeptFixture : test::OperatorFixture {
  KeptFixture() {
    config.store.ack_timeout_ms = 5'000;
    access.sanctions.set_keeper(&keeper);
    add(api::make_sanctions(context));
  }
  SlowKeeper keeper;
};

struct Fixture : test::OperatorFixture {
  Fixture() { add(api::make_sanctions(context)); }
  std::string remove(const access::Identity& identity, std::string_view target) {
    return call(identity, Method::delete_, target);
  }
  bool is_banned(const access::Identity& identity, std::string_view address, std::string_view room) {
    const auto refusal = rooms.check_join({identity, {}, 0, address}, room);
    if (refusal) CHECK(refusal->code == Code::banned);
    return refusal.has_value();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "POST /api/bans: a user in one room, by those who moderate it") {
  CHECK(post(moderator("chat/**"), "/api/bans",
             R"({"user":"ada","room":"chat/1","seconds":60,"reason":"spam"})") ==
        R"(200 {"id":1,"user":"ada","room":"chat/1","until":1700000060,"reason":"spam","by":"user:mod"})");
  CHECK(gate.last_access == http::Access::operators);
  CHECK(is_banned(user("ada"), "", "chat/1"));
  CHECK_FALSE(is_banned(user("ada"), "", "chat/2"));
  CHECK_FALSE(is_banned(user("bob"), "", "chat/1"));
}

TEST_CASE_FIXTURE(Fixture, "POST /api/bans: everywhere and by pattern it needs admin") {
  for (const char* body : {R"({"user":"ada"})", R"({"user":"ada","room":"chat/*"})"}) {
    CAPTURE(body);
    CHECK(code_of(post(moderator("chat/**"), "/api/bans", body)) == "403 forbidden");
    CHECK(code_of(post({}, "/api/bans", body)) == "401 unauthorized");
    CHECK(post(admin(), "/api/bans", body).starts_with("200 "));
  }
  CHECK(code_of(post(moderator("chat/**"), "/api/bans", R"({"user":"ada","room":"news"})")) ==
        "403 forbidden");
  CHECK(code_of(post(moderator("chat/**"), "/api/revoke", R"({"user":"ada"})")) == "403 forbidden");
}

TEST_CASE_FIXTURE(Fixture, "POST /api/bans: an address, a block, and an IPv6 address with its /64") {
  CHECK(post(admin(), "/api/bans", R"({"address":"192.0.2.0/24"})").find(R"("address":"192.0.2.0/24")") !=
        std::string::npos);
  CHECK(post(admin(), "/api/bans", R"({"address":"2001:db8::7"})").find(R"("address":"2001:db8::/64")") !=
        std::string::npos);
  CHECK(
      post(admin(), "/api/bans", R"({"address":"2001:db8:1::7/128"})").find(R"("address":"2001:db8:1::7")") !=
      std::string::npos);
  CHECK(is_banned({}, "192.0.2.5", "lobby"));
  CHECK(is_banned({}, "2001:db8::ffff", "lobby"));
  CHECK(is_banned({}, "2001:db8:1::7", "lobby"));
  CHECK_FALSE(is_banned({}, "2001:db8:1::8", "lobby"));
}

TEST_CASE_FIXTURE(Fixture, "POST /api/bans: what makes no sense is refused by name") {
  for (const auto& [body, word] : {
           std::pair(R"({})", "user or address"),
           std::pair(R"({"user":"a","address":"192.0.2.1"})", "user or address"),
           std::pair(R"({"user":"a","seconds":1,"until":1800000000})", "seconds or until"),
           std::pair(R"({"user":"a","seconds":0})", "not in the future"),
           std::pair(R"({"user":"a","until":1700000000})", "not in the future"),
           std::pair(R"({"user":"a","seconds":"1"})", "seconds must be a whole number"),
           std::pair(R"({"user":"a","seconds":1.5})", "seconds must be a whole number"),
           std::pair(R"({"user":1})", "user must be a text"),
           std::pair(R"({"user":""})", "user must have 1 to 100 bytes"),
           std::pair(R"({"user":"a\u0000"})", "without control characters"),
           std::pair(R"({"user":true})", "user must be a text or a number"),
           std::pair(R"({"user":"a","user":"b"})", "user is given twice"),
           std::pair(R"({"user":"a","rooms":"b"})", "no argument called rooms"),
           std::pair(R"({"user":"a","issued_before":1})", "no argument called issued_before"),
           std::pair(R"({"address":"example.org"})", "address: bad address block"),
           std::pair(R"([])", "must be an object"),
       }) {
    CAPTURE(body);
    const std::string answer = post(admin(), "/api/bans", body);
    CHECK(code_of(answer) == "400 bad_request");
    CHECK(answer.find(word) != std::string::npos);
  }
  CHECK(code_of(post(admin(), "/api/bans", "{")) == "400 invalid_json");
  CHECK(code_of(post(admin(), "/api/bans", R"({"user":"a"} 1)")) == "400 invalid_json");
  CHECK(code_of(post(admin(), "/api/bans", R"({"user":"a","room":"/"})")) == "400 bad_room_name");
  CHECK(code_of(post(admin(), "/api/bans", std::string(16'385, ' '))) == "413 content_too_large");
  CHECK(code_of(post(admin(), "/api/bans", std::string(16'370, ' ') + R"({"user":"ada"})")) ==
        std::string("200 ") +
            R"({"id":1,"user":"ada","room":"**","until":null,"reason":"","by":"user:root"})");
  content_type = "text/plain";
  CHECK(code_of(post(admin(), "/api/bans", R"({"user":"a"})")) == "415 unsupported_media_type");
}

TEST_CASE_FIXTURE(Fixture, "DELETE /api/bans lifts one, and says if there is none") {
  CHECK(post(admin(), "/api/bans", R"({"user":"ada","room":"chat/1"})").starts_with("200 "));
  CHECK(code_of(remove(admin(), "/api/bans?user=ada")) == "404 not_found");
  CHECK(remove(admin(), "/api/bans?user=ada").find("no ban of user:ada") != std::string::npos);
  CHECK(code_of(remove(admin(), "/api/mutes?user=ada&room=chat/1")) == "404 not_found");
  CHECK(code_of(remove(moderator("news"), "/api/bans?user=ada&room=chat/1")) == "403 forbidden");
  CHECK(is_banned(user("ada"), "", "chat/1"));
  CHECK(remove(moderator("chat/*"), "/api/bans?user=ada&room=chat/1") == "204");
  CHECK_FALSE(is_banned(user("ada"), "", "chat/1"));
}

TEST_CASE_FIXTURE(Fixture, "GET /api/bans, /api/mutes and /api/revoke list them in pages") {
  for (const char* name : {"ada", "bob", "eve"})
    (void)post(admin(), "/api/bans", std::string(R"({"user":")") + name + R"("})");
  (void)post(admin(), "/api/mutes", R"({"user":"joe"})");
  (void)post(admin(), "/api/revoke", R"({"jti":"t1","until":1800000000})");
  const std::string first = get(admin(), "/api/bans?limit=2");
  CHECK(first.starts_with(R"(200 {"bans":[{"id":1,"user":"ada",)"));
  CHECK(first.ends_with(R"("next":"2"})"));
  const std::string second = get(admin(), "/api/bans?limit=2&after=2");
  CHECK(second.starts_with(R"(200 {"bans":[{"id":3,"user":"eve",)"));
  CHECK(second.ends_with(R"("next":null})"));
  CHECK(get(admin(), "/api/mutes").starts_with(R"(200 {"mutes":[{"id":4,"user":"joe")"));
  CHECK(
      get(admin(), "/api/revoke") ==
      R"(200 {"revocations":[{"id":5,"jti":"t1","until":1800000000,"reason":"","by":"user:root"}],"next":null})");
  CHECK(code_of(get(moderator("**"), "/api/bans")) == "403 forbidden");
}

TEST_CASE_FIXTURE(Fixture, "sanctions end within about a second of their time") {
  (void)post(admin(), "/api/bans", R"({"user":"ada","seconds":10})");
  pass(9'000);
  CHECK(is_banned(user("ada"), "", "lobby"));
  for (int i = 0; i < 4; ++i)
    pass(500);
  CHECK_FALSE(is_banned(user("ada"), "", "lobby"));
  CHECK(access.sanctions.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "POST /api/revoke: the tokens of a user issued before a time, at first until the present") {
  CHECK(post(admin(), "/api/revoke", R"({"user":"ada"})") ==
        R"(200 {"id":1,"user":"ada","issued_before":1700000000,"until":null,"reason":"","by":"user:root"})");
  access::Profile profile;
  profile.id = "ada";
  profile.issued_s = now_s - 1;
  CHECK(access.sanctions.revocation_of(access::Identity(std::move(profile))));
  CHECK(post(admin(), "/api/revoke", R"({"user":"ada","issued_before":5})").find(R"("issued_before":5,)") !=
        std::string::npos);
  CHECK(code_of(post(admin(), "/api/revoke", R"({"user":"ada","jti":"t"})")) == "400 bad_request");
  CHECK(code_of(post(admin(), "/api/revoke", R"({"jti":"t","issued_before":5})")) == "400 bad_request");
}

TEST_CASE_FIXTURE(Fixture, "past limits.sanctions_bytes no more are taken") {
  config.limits.sanctions_bytes = 1'000;
  parts.front()->apply(config);
  CHECK(post(admin(), "/api/bans", R"({"user":"ada"})").starts_with("200 "));
  const std::string refused = post(admin(), "/api/bans", R"({"user":"bob"})");
  CHECK(code_of(refused) == "503 overloaded");
  CHECK(refused.find("limits.sanctions_bytes") != std::string::npos);
  CHECK(is_banned(user("ada"), "", "lobby"));
}

TEST_CASE_FIXTURE(Fixture, "sanctions are counted") {
  (void)post(admin(), "/api/bans", R"({"user":"ada"})");
  metrics::Exposition exposition;
  parts.front()->collect(exposition);
  CHECK(exposition.text().find(R"(roomcast_sanctions{kind="ban"} 1)") != std::string::npos);
  CHECK(exposition.text().find("roomcast_sanctions_bytes ") != std::string::npos);
}

TEST_CASE_FIXTURE(KeptFixture,
                  "with a keeper the answer waits until the change is kept; its effect does not") {
  CHECK(post(admin(), "/api/bans", R"({"user":"ada"})") == "not answered");
  CHECK(rooms.check_join({user("ada"), {}, 0, ""}, "lobby"));
  CHECK(call(admin(), Method::delete_, "/api/bans?user=ada") == "not answered");
  CHECK_FALSE(rooms.check_join({user("ada"), {}, 0, ""}, "lobby"));
  keeper.listener->on_kept(0);
  CHECK_FALSE(answers.last);
  keeper.listener->on_kept(1);
  REQUIRE(answers.last);
  CHECK(answers.last->status == 200);
  keeper.listener->on_kept(2);
  CHECK(answers.last->status == 204);
  // What changes nothing does not wait.
  CHECK(code_of(call(admin(), Method::delete_, "/api/bans?user=ada")) == "404 not_found");
  CHECK(get(admin(), "/api/bans").starts_with("200 "));
}

TEST_CASE_FIXTURE(KeptFixture,
                  "a change that is not kept in time is answered with store_timeout, and in force") {
  CHECK(post(admin(), "/api/mutes", R"({"user":"ada"})") == "not answered");
  pass(4'000);
  CHECK(post(admin(), "/api/mutes", R"({"user":"bob"})") == "not answered");
  pass(900);
  CHECK_FALSE(answers.last);
  pass(200);
  REQUIRE(answers.last);
  CHECK(answers.last->status == 504);
  CHECK(answers.last->body.view().find("store.ack_timeout_seconds") != std::string_view::npos);
  CHECK(access.sanctions.count(access::Sanction::Kind::mute) == 2);
  answers.last.reset();
  keeper.listener->on_kept(2);
  REQUIRE(answers.last);
  CHECK(answers.last->status == 200);
}

TEST_CASE_FIXTURE(KeptFixture, "what a keeper has no space for is refused with store_busy") {
  keeper.is_busy = true;
  CHECK(code_of(post(admin(), "/api/bans", R"({"user":"ada"})")) == "503 store_busy");
  CHECK_FALSE(rooms.check_join({user("ada"), {}, 0, ""}, "lobby"));
}

}  // namespace api_sanctions_test

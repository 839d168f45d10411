#include "api/server_info.h"

#include <doctest/doctest.h>

#include <string>

#include "unit/api/operator_fixture.h"

namespace server_info_test {

using namespace roomcast;

namespace {

struct Fixture : test::OperatorFixture {
  Fixture() { add(api::make_server_info(context)); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "GET /api/info: version, uptime, counts and limits, for administrators") {
  clock.advance(90'000);
  const std::string info = get(admin(), "/api/info");
  CHECK(info.starts_with(
      R"(200 {"version":"1.2.3","started":1700000000,"uptime_seconds":90,"clients":0,"rooms":0,)"));
  CHECK(info.find(R"("limits":{"message_bytes":65536,)") != std::string::npos);
  CHECK(info.find(R"("sanctions_bytes":16777216)") != std::string::npos);
  CHECK(code_of(get(moderator("**"), "/api/info")) == "403 forbidden");
  CHECK(code_of(get({}, "/api/info")) == "401 unauthorized");
}

TEST_CASE_FIXTURE(Fixture, "GET /api/me: who the client is, and what it may do in a room") {
  CHECK(get({}, "/api/me") ==
        R"(200 {"kind":"anonymous","roles":[],"may":["join","publish","presence","history"]})");
  CHECK(gate.last_access == http::Access::clients);
  CHECK(
      get(moderator("chat/*"), "/api/me?room=chat/1") ==
      R"(200 {"kind":"user","user":"mod","name":"mod","roles":[],"may":["join","publish","presence","history","moderate"]})");
  CHECK(get(moderator("chat/*"), "/api/me?room=news").find("moderate") == std::string::npos);
  CHECK(get(moderator("chat/*"), "/api/me").find("moderate") == std::string::npos);
  access::Profile profile;
  profile.kind = access::Kind::key;
  profile.id = "ci";
  profile.name = "Build";
  profile.roles = {"a\"b", "c"};
  CHECK(get(access::Identity(std::move(profile)), "/api/me?room=x")
            .starts_with(R"(200 {"kind":"key","key":"ci","name":"Build","roles":["a\"b","c"],"may":[)"));
  CHECK(code_of(get({}, "/api/me?room=/")) == "400 bad_room_name");
}

TEST_CASE("what is for operation is on admin listeners, and on the others unless it is confined") {
  for (const bool confined : {false, true}) {
    CAPTURE(confined);
    test::OperatorFixture fixture;
    fixture.add(api::make_server_info(fixture.context), confined);
    CHECK(fixture.get(test::OperatorFixture::admin(), "/api/info").starts_with(confined ? "404 " : "200 "));
    CHECK(fixture.get({}, "/api/me").starts_with("200 "));
    test::ExchangeDouble exchange(http::Method::get, "/api/info");
    exchange.context().identity = test::OperatorFixture::admin();
    fixture.operations.handle(exchange, "");
    CHECK(exchange.status() == 200);
  }
}

}  // namespace server_info_test

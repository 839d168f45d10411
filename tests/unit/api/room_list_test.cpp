#include "api/room_list.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "unit/api/operator_fixture.h"

namespace room_list_test {

using namespace roomcast;

namespace {

struct Fixture : test::OperatorFixture {
  Fixture() { add(api::make_room_list(context)); }
  void publish(std::string_view room) {
    auto accepted = rooms.accept({}, room, service::RawPayload{hub::Kind::text, "hi"});
    REQUIRE(accepted);
    rooms.publish(std::move(*accepted), {});
    turn();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "GET /api/rooms: administrators see all rooms, with what is in them") {
  CHECK(get(admin(), "/api/rooms") == R"(200 {"rooms":[],"next":null})");
  publish("chat/a\"b");
  const std::string listed = get(admin(), "/api/rooms");
  CHECK(listed.starts_with(R"(200 {"rooms":[{"room":"chat/a\"b","subscribers":0,"messages":1,"bytes":)"));
  CHECK(listed.find(R"(,"cursor":")") != std::string::npos);
  CHECK(gate.last_access == http::Access::operators);
}

TEST_CASE_FIXTURE(Fixture, "GET /api/rooms: pages, by prefix") {
  for (const char* room : {"chat/1", "chat/2", "news", "chat/3"})
    publish(room);
  const std::string first = get(admin(), "/api/rooms?prefix=chat/&limit=2");
  CHECK(first.find("chat/3") != std::string::npos);
  CHECK(first.find("chat/2") != std::string::npos);
  CHECK(first.find("chat/1") == std::string::npos);
  const auto at = first.find(R"("next":")");
  REQUIRE(at != std::string::npos);
  const std::string next = first.substr(at + 8, first.find('"', at + 8) - at - 8);
  const std::string second = get(admin(), "/api/rooms?prefix=chat/&limit=2&after=" + next);
  CHECK(second.find("chat/1") != std::string::npos);
  CHECK(second.find("chat/2") == std::string::npos);
  CHECK(second.ends_with(R"("next":null})"));
}

TEST_CASE_FIXTURE(Fixture, "GET /api/rooms: moderators see the rooms that they moderate") {
  publish("chat/1");
  publish("news");
  const std::string listed = get(moderator("chat/**"), "/api/rooms");
  CHECK(listed.find("chat/1") != std::string::npos);
  CHECK(listed.find("news") == std::string::npos);
  CHECK(code_of(get({}, "/api/rooms")) == "401 unauthorized");
  CHECK(code_of(get(user("ada"), "/api/rooms")) == "403 forbidden");
}

TEST_CASE_FIXTURE(Fixture, "GET /api/rooms: arguments that make no sense are refused by name") {
  for (const char* query : {"?limit=0", "?limit=1001", "?limit=many", "?after=-1", "?prefix="}) {
    CAPTURE(query);
    CHECK(code_of(get(admin(), std::string("/api/rooms") + query)) == "400 bad_request");
  }
  CHECK(get(admin(), "/api/rooms?limit=1").starts_with("200 "));
  CHECK(get(admin(), "/api/rooms?limit=1000").starts_with("200 "));
}

TEST_CASE_FIXTURE(Fixture, "GET /api/rooms/{room}: one room, for those who moderate it") {
  publish("chat/1");
  CHECK(
      get(moderator("chat/**"), "/api/rooms/chat/1").starts_with(R"(200 {"room":"chat/1","subscribers":0)"));
  CHECK(get(admin(), "/api/rooms/chat%2F1").starts_with("200 "));
  CHECK(code_of(get(moderator("news"), "/api/rooms/chat/1")) == "403 forbidden");
  CHECK(code_of(get({}, "/api/rooms/chat/1")) == "401 unauthorized");
  CHECK(get(admin(), "/api/rooms/nowhere").find("no room called nowhere") != std::string::npos);
  CHECK(code_of(get(admin(), "/api/rooms/nowhere")) == "404 not_found");
  CHECK(code_of(get(admin(), "/api/rooms/a%01")) == "400 bad_room_name");
}

TEST_CASE_FIXTURE(Fixture, "rooms are listed a bounded number at a time, and none is left out") {
  for (int i = 0; i < 1'200; ++i)
    publish("r" + std::to_string(i));
  std::size_t pages = 0;
  std::size_t found = 0;
  std::string next;
  do {
    const std::string page =
        get(moderator("r1*"), "/api/rooms?limit=1000" + (next.empty() ? "" : "&after=" + next));
    for (auto at = page.find(R"("room":)"); at != std::string::npos; at = page.find(R"("room":)", at + 1))
      ++found;
    const auto at = page.find(R"("next":")");
    next = at == std::string::npos ? "" : page.substr(at + 8, page.find('"', at + 8) - at - 8);
    ++pages;
  } while (!next.empty());
  CHECK(found == 1 + 10 + 100 + 200);
  CHECK(pages == 3);
}

}  // namespace room_list_test

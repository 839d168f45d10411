#include "api/messages.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "hub/cursor.h"
#include "unit/api/operator_fixture.h"

namespace messages_test {

using namespace roomcast;
using http::Method;

namespace {

struct Fixture : test::OperatorFixture {
  Fixture() { add(api::make_messages(context)); }
  /// Publishes, and returns the query about the message.
  std::string publish(std::string_view room, std::string_view text) {
    auto accepted = rooms.accept({}, room, service::RawPayload{hub::Kind::text, text});
    REQUIRE(accepted);
    std::string cursor;
    rooms.publish(std::move(*accepted), [&cursor](const hub::PublishResult& result) {
      REQUIRE(result);
      cursor = hub::to_cursor(result->position);
    });
    turn();
    return "?room=" + std::string(room) + "&cursor=" + cursor;
  }
  std::string history(std::string_view room) {
    std::string texts;
    rooms.read_history({}, room, std::nullopt, 10, [&texts](const hub::HistoryResult& result) {
      REQUIRE(result);
      for (const hub::Message& message : result->messages)
        texts.append(message.payload.view()).append(" ");
    });
    return texts;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "DELETE /api/messages: one message is gone") {
  const std::string first = publish("chat/1", "one");
  publish("chat/1", "two");
  const std::string answer = call(moderator("chat/*"), Method::delete_, "/api/messages" + first);
  CHECK(answer == R"(200 {"room":"chat/1","cursor":")" + first.substr(first.find("cursor=") + 7) + "\"}");
  CHECK(gate.last_access == http::Access::operators);
  CHECK(history("chat/1") == "two ");
  CHECK(code_of(call(admin(), Method::delete_, "/api/messages" + first)) == "404 not_found");
}

TEST_CASE_FIXTURE(Fixture, "PUT /api/messages: one message is replaced by the body") {
  const std::string first = publish("chat/1", "one");
  content_type = "text/plain";
  CHECK(call(moderator("chat/*"), Method::put, "/api/messages" + first, "better").starts_with("200 "));
  CHECK(history("chat/1") == "better ");
  content_type = "application/json";
  CHECK(code_of(call(admin(), Method::put, "/api/messages" + first, "{")) == "400 invalid_json");
  CHECK(code_of(call(admin(), Method::put, "/api/messages" + first, std::string(65'537, '1'))) ==
        "413 message_too_big");
}

TEST_CASE_FIXTURE(Fixture, "POST /api/clear: all that the room has is gone") {
  publish("chat/1", "one");
  publish("chat/1", "two");
  publish("news", "three");
  CHECK(post(moderator("chat/*"), "/api/clear", R"({"room":"chat/1"})").starts_with("200 "));
  CHECK(history("chat/1").empty());
  CHECK(history("news") == "three ");
}

TEST_CASE_FIXTURE(Fixture, "messages: only those who moderate the room may") {
  const std::string first = publish("news", "one");
  for (const auto& identity : {moderator("chat/*"), user("ada")}) {
    CHECK(code_of(call(identity, Method::delete_, "/api/messages" + first)) == "403 forbidden");
    CHECK(code_of(call(identity, Method::put, "/api/messages" + first, "1")) == "403 forbidden");
    CHECK(code_of(post(identity, "/api/clear", R"({"room":"news"})")) == "403 forbidden");
  }
  CHECK(history("news") == "one ");
}

TEST_CASE_FIXTURE(Fixture, "messages: arguments that make no sense are refused by name") {
  CHECK(code_of(call(admin(), Method::delete_, "/api/messages?room=a")) == "400 bad_cursor");
  CHECK(code_of(call(admin(), Method::delete_, "/api/messages?room=a&cursor=last")) == "400 bad_cursor");
  CHECK(code_of(call(admin(), Method::delete_, "/api/messages?cursor=0000000000000001-1")) ==
        "400 bad_request");
  CHECK(code_of(call(admin(), Method::delete_, "/api/messages?room=/&cursor=0000000000000001-1")) ==
        "400 bad_room_name");
  CHECK(code_of(call(admin(), Method::delete_, "/api/messages?room=a&cursor=0000000000000001-1")) ==
        "404 not_found");
  CHECK(code_of(post(admin(), "/api/clear", "{}")) == "400 bad_request");
}

}  // namespace messages_test

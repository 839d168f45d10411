#include "api/batch_request.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace batch_request_test {

using namespace roomcast;
using api::PublishItem;
using hub::Kind;

namespace {

const api::BatchLimits small{3, 16'777'216};
const service::Limits short_messages{20, 63};

/// `{"messages":[…]}` with these elements.
std::string body_of(std::string_view messages) { return R"({"messages":[)" + std::string(messages) + "]}"; }

/// The items of a request that has the right shape.
std::vector<PublishItem> items(std::string_view messages, const api::BatchLimits& limits = small) {
  auto read = api::read_batch(body_of(messages), limits, short_messages);
  REQUIRE_MESSAGE(read, messages, ": ", read.error().message.view());
  return std::move(*read);
}
PublishItem only(std::string_view message) {
  auto read = items(message);
  REQUIRE(read.size() == 1);
  return std::move(read.front());
}
/// "400 bad_room_name"
std::string code_of(const base::Refusal& refusal) {
  const base::RefusalInfo& info = base::describe(refusal.code);
  return std::to_string(info.http) + " " + std::string(info.name);
}
/// Its only item's problem: "400 bad_room_name".
std::string problem(std::string_view message) {
  const PublishItem item = only(message);
  return item.payload ? "" : code_of(item.payload.error());
}
/// Why all of it is refused: "400 bad_request: the reason".
std::string refusal(std::string_view body, const api::BatchLimits& limits = small) {
  const auto read = api::read_batch(body, limits, short_messages);
  REQUIRE_FALSE(read);
  const base::Refusal& why = read.error();
  return code_of(why) + ": " + std::string(why.message);
}
std::string misshapen(std::string_view messages) {
  const std::string front = "400 bad_request: ";
  const std::string why = refusal(body_of(messages));
  return why.rfind(front, 0) == 0 ? why.substr(front.size()) : why;
}
std::string rooms_of(const std::vector<PublishItem>& items) {
  std::string names;
  for (const PublishItem& item : items)
    names += (names.empty() ? "" : " ") + item.room;
  return names;
}

const std::string one_room = "needs room or rooms, one of them";
const std::string one_payload = "needs data or data_base64, one of them";

}  // namespace

TEST_CASE("batch request: a message has a room and data, and may say whom it is from and its key") {
  const PublishItem item = only(R"({"room":"lobby","data":"hi","from":"ada","key":"k"})");
  CHECK(item.room == "lobby");
  CHECK(item.payload->kind() == Kind::text);
  CHECK(item.payload->bytes().view() == "hi");
  CHECK(item.from.view() == "ada");
  CHECK(item.key == "k");
  CHECK(item.payload.ok());

  const PublishItem bare = only(R"({"room":"lobby","data":"hi"})");
  CHECK(bare.from.view().empty());
  CHECK(bare.key.empty());
  CHECK(bare.payload.ok());
}

TEST_CASE("batch request: a string is a text message, any other value a json one of those very bytes") {
  const PublishItem text = only(R"({"room":"r","data":"a\n\"\u00e4"})");
  CHECK(text.payload->kind() == Kind::text);
  CHECK(text.payload->bytes().view() == "a\n\"\xC3\xA4");
  CHECK(only(R"({"room":"r","data":""})").payload->kind() == Kind::text);
  for (const char* value : {R"({ "a" : 1.0 })", "[1, 2]", "12e1", "true", "false", "null", "{}"}) {
    const PublishItem item = only(R"({"room":"r","data": )" + std::string(value) + " }");
    CHECK(item.payload->kind() == Kind::json);
    CHECK(item.payload->bytes().view() == value);
    CHECK(item.payload.ok());
  }
}

TEST_CASE("batch request: base64 is a binary message") {
  const PublishItem item = only(R"({"room":"r","data_base64":"\/wBh"})");
  CHECK(item.payload->kind() == Kind::binary);
  CHECK(item.payload->bytes().view() == std::string_view("\xff\0a", 3));
  CHECK(item.payload.ok());
  const PublishItem empty = only(R"({"room":"r","data_base64":""})");
  CHECK(empty.payload->kind() == Kind::binary);
  CHECK(empty.payload->bytes().view().empty());
  CHECK(empty.payload.ok());
}

TEST_CASE("batch request: broken base64 is that message's problem") {
  for (const char* broken : {"YQ", "YQ=", "YQ===", "Y Q=", "Y-_=", "=", "YQ==YQ=="})
    CHECK(problem(R"({"room":"r","data_base64":")" + std::string(broken) + "\"}") == "400 invalid_data");
}

TEST_CASE("batch request: a message for many rooms is an item for each, in their order") {
  const auto read = items(R"({"room":"a","data":1},{"rooms":["c","b"],"data":"x","from":"ada","key":"k"})");
  CHECK(rooms_of(read) == "a c b");
  for (const std::size_t i : {1U, 2U}) {
    CHECK(read[i].payload->bytes().view() == "x");
    CHECK(read[i].from.view() == "ada");
    CHECK(read[i].key == "k");
  }
  // However many rooms it is for, its bytes are there once.
  CHECK(read[1].payload->bytes().view().data() == read[2].payload->bytes().view().data());
  // Two messages may be for one room.
  CHECK(rooms_of(items(R"({"rooms":["a","b"],"data":1},{"rooms":["a"],"data":1})")) == "a b a");
}

TEST_CASE("batch request: one message does not name a room twice") {
  for (const char* rooms : {R"(["a","a"])", R"(["a","b","c","a"])", R"(["","b",""])"}) {
    const auto read = api::read_batch(
        R"({"messages":[{"room":"x","data":0},{"rooms":)" + std::string(rooms) + R"(,"data":1}]})",
        api::batch_limits({}), short_messages);
    REQUIRE_FALSE(read.ok());
    CHECK(code_of(read.error()) == "400 bad_request");
    CHECK(read.error().message == "messages[1]: rooms must not name a room twice");
  }
}

TEST_CASE(
    "batch request: its payloads, each counted for each of its rooms, may have so many bytes together") {
  api::BatchLimits limits = api::batch_limits({});
  limits.bytes = 12;
  const std::string body = R"({"messages":[{"rooms":["a","b"],"data":"abcd"},{"room":"c","data":"ef)";
  CHECK(api::read_batch(body + R"(gh"}]})", limits, short_messages).ok());
  const auto read = api::read_batch(body + R"(ghi"}]})", limits, short_messages);
  REQUIRE_FALSE(read.ok());
  CHECK(code_of(read.error()) == "413 batch_too_big");
  CHECK(read.error().message.view().find("limits.batch_bytes") != std::string::npos);
}

TEST_CASE("batch request: no messages are no items, and a message names a room at least") {
  CHECK(items("").empty());
  CHECK(misshapen(R"({"room":"a","data":1},{"rooms":[],"data":1})") == "messages[1]: rooms must name a room");
}

TEST_CASE("batch request: the body and each message have as many members as the limit and no more") {
  const auto members = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += "\"" + std::to_string(i) + "\":" + (i % 2 == 0 ? "[{}]" : "0") + ",";
    return text;
  };
  CHECK(only("{" + members(30) + R"("room":"a","data":1})").room == "a");
  CHECK(misshapen("{" + members(31) + R"("room":"a","data":1})") ==
        "messages[0]: must have at most 32 members");
  CHECK(api::read_batch("{" + members(31) + R"("messages":[]})", small, short_messages));
  CHECK(refusal("{" + members(32) + R"("messages":[]})") ==
        "400 bad_request: the body must have at most 32 members");
}

TEST_CASE("batch request: what comes behind the first reason to refuse it is not looked at") {
  const std::string three = R"({"room":"a","data":1},{"room":"a","data":1},{"room":"a","data":1})";
  // It is no JSON, but nobody gets that far.
  CHECK(refusal(R"({"messages":[)" + three + ",[[nonsense").rfind("413 too_many_messages", 0) == 0);
  CHECK(refusal(R"({"messages":[{"rooms":[],"data":1},nonsense)") ==
        "400 bad_request: messages[0]: rooms must name a room");
  CHECK(refusal(R"({"messages":[)" + three + "]nonsense") ==
        "400 invalid_json: the body must be one JSON value");
}

TEST_CASE("batch request: a message may have an event name and tags, for all its rooms") {
  const auto read = items(R"({"rooms":["a","b"],"data":1,"event":"tick","tags":{"k":"v"}})");
  REQUIRE(read.size() == 2);
  for (const PublishItem& item : read) {
    CHECK(item.payload->labels().event() == "tick");
    REQUIRE(item.payload->labels().tags().size() == 1);
    CHECK(item.payload->labels().tags()[0].value == "v");
  }
  CHECK(read[0].payload->labels().event().data() == read[1].payload->labels().event().data());  // shared
  CHECK(only(R"({"room":"a","data":1,"event":null,"tags":null})").payload->labels().empty());
  CHECK(problem(R"({"room":"a","data":1,"event":")" + std::string(64, 'e') + "\"}").empty());
  CHECK(problem(R"({"room":"a","data":1,"event":")" + std::string(65, 'e') + "\"}") == "400 bad_request");
  CHECK(problem(R"({"room":"a","data":1,"event":1})") == "400 bad_request");
  CHECK(problem(R"({"room":"a","data":1,"tags":{"k":1}})") == "400 bad_request");
}

TEST_CASE("batch request: names and keys that can't be used are not kept") {
  const auto read = items(R"({"rooms":["a","b"],"data":1,"key":")" + std::string(1000, 'k') +
                          R"(","from":")" + std::string(1000, 'f') + "\"}");
  REQUIRE(read.size() == 2);
  for (const PublishItem& item : read) {
    CHECK_FALSE(item.payload.ok());
    CHECK(item.key.empty());
    CHECK(item.from.view().empty());
  }
}

TEST_CASE("batch request: unknown members are ignored, and so are those that are null, but for data") {
  const PublishItem item = only(
      R"({"room":"r","rooms":null,"data":"x","data_base64":null,"from":null,"key":null,"to":[{"room":"no"}]})");
  CHECK(item.room == "r");
  CHECK(item.payload->bytes().view() == "x");
  CHECK(item.payload.ok());
  CHECK(rooms_of(items(R"({"room":null,"rooms":["r"],"data":1})")) == "r");
  CHECK(misshapen(R"({"room":"r","data":null,"data_base64":""})") == "messages[0]: " + one_payload);
  CHECK(api::read_batch(R"({"a":{"messages":1},"messages":[],"b":2})", small, short_messages));
}

TEST_CASE("batch request: of members with one name the last counts, however it is spelled") {
  const PublishItem item = only(R"({"room":1,"data":"x","r\u006fom":"r","data":"y"})");
  CHECK(item.room == "r");
  CHECK(item.payload->bytes().view() == "y");
  CHECK(misshapen(R"({"room":"r","room":null,"data":1})") == "messages[0]: " + one_room);
  const auto read =
      api::read_batch(R"({"messages":1,"messages":[{"room":"r","data":1}]})", small, short_messages);
  REQUIRE(read);
  CHECK(read->size() == 1);
  CHECK_FALSE(api::read_batch(R"({"messages":[],"messages":{}})", small, short_messages));
}

TEST_CASE("batch request: what is no JSON is refused") {
  for (const char* body : {"", " ", "{", R"({"messages":[}]})", R"({"messages":[]} x)", "{'messages':[]}",
                           "{\"messages\":[\"\xff\"]}"})
    CHECK(refusal(body) == "400 invalid_json: the body must be one JSON value");
}

TEST_CASE("batch request: what is no object with a list of messages is refused") {
  for (const char* body : {"[]", "1", "null", R"("messages")", "{}", R"({"messages":null})",
                           R"({"messages":{}})", R"({"messages":"[]"})", R"({"Messages":[]})"})
    CHECK(refusal(body) == "400 bad_request: the body must be an object with a list called messages");
}

TEST_CASE("batch request: one message of a wrong shape is named, and all of it refused") {
  const std::string good = R"({"room":"a","data":1},)";
  for (const char* element : {"1", "[]", "null", R"("x")"})
    CHECK(misshapen(good + element) == "messages[1]: must be an object");
  const auto second = [&](std::string_view message) { return misshapen(good + std::string(message)); };
  CHECK(second(R"({"data":1})") == "messages[1]: " + one_room);
  CHECK(second(R"({"room":"a","rooms":["a"],"data":1})") == "messages[1]: " + one_room);
  CHECK(second(R"({"room":"a"})") == "messages[1]: " + one_payload);
  CHECK(second(R"({"room":"a","data":"x","data_base64":"eA=="})") == "messages[1]: " + one_payload);
  CHECK(second("{}") == "messages[1]: " + one_payload);
  CHECK(second(R"({"room":1,"data":1})") == "messages[1]: room must be a string");
  CHECK(second(R"({"rooms":"a","data":1})") == "messages[1]: rooms must be a list");
  CHECK(second(R"({"rooms":["a",1],"data":1})") == "messages[1]: rooms must be strings");
  CHECK(second(R"({"rooms":[null],"data":1})") == "messages[1]: rooms must be strings");
  CHECK(second(R"({"room":"a","data_base64":1})") == "messages[1]: data_base64 must be a string");
  CHECK(second(R"({"room":"a","data":1,"from":1})") == "messages[1]: from must be a string");
  CHECK(second(R"({"room":"a","data":1,"key":{}})") == "messages[1]: key must be a string");
}

TEST_CASE("batch request: what is wrong with one message alone is its problem, and the others are fine") {
  const auto read = items(R"({"room":"a","data":1},{"room":"b","data":2,"key":""},{"room":"c","data":"3"})");
  REQUIRE(read.size() == 3);
  CHECK(read[0].payload.ok());
  REQUIRE_FALSE(read[1].payload.ok());
  CHECK(code_of(read[1].payload.error()) == "400 bad_idempotency_key");
  REQUIRE(read[2].payload.ok());
  CHECK(read[2].payload->bytes().view() == "3");
}

TEST_CASE("batch request: names of rooms are not checked here") {
  const auto rooms = items(R"({"rooms":["a","\u0001","b"],"data":1})");
  REQUIRE(rooms.size() == 3);
  for (const PublishItem& item : rooms)
    CHECK(item.payload.ok());
  CHECK(rooms[1].room == "\x01");
}

TEST_CASE("batch request: the problems a message can have of its own") {
  CHECK(problem(R"({"room":"a","data":1,"from":"\u0001"})") == "400 bad_client_name");
  CHECK(problem(R"({"room":"a","data":1,"key":""})") == "400 bad_idempotency_key");
  CHECK(problem(R"({"room":"a","data":1,"key":"\u00e4"})") == "400 bad_idempotency_key");
  CHECK(problem(R"({"room":"a","data":1,"key":")" + std::string(200, 'k') + "\"}").empty());
  CHECK(problem(R"({"room":"a","data":1,"key":")" + std::string(201, 'k') + "\"}") ==
        "400 bad_idempotency_key");
}

TEST_CASE("batch request: a message is as large as the limit and no larger, as what it stands for") {
  const std::string most(20, 'x');
  CHECK(problem(R"({"room":"a","data":")" + most + "\"}").empty());
  CHECK(problem(R"({"room":"a","data":")" + most + "x\"}") == "413 message_too_big");
  CHECK(problem(R"({"room":"a","data":"\u0078)" + most.substr(1) + "\"}").empty());
  CHECK(problem(R"({"room":"a","data":[)" + std::string(18, '1') + "]}").empty());
  CHECK(problem(R"({"room":"a","data":[)" + std::string(19, '1') + "]}") == "413 message_too_big");
  // 20 and 21 bytes.
  CHECK(problem(R"({"room":"a","data_base64":"eHh4eHh4eHh4eHh4eHh4eHh4eHg="})").empty());
  CHECK(problem(R"({"room":"a","data_base64":"eHh4eHh4eHh4eHh4eHh4eHh4eHh4"})") == "413 message_too_big");
}

TEST_CASE(
    "batch request: there are as many items as the limit and no more, a message counted for each room") {
  const std::string refused =
      "413 too_many_messages: more messages, one for each room, than limits.batch_messages allows: 3";
  const std::string one = R"({"room":"a","data":1})";
  CHECK(items(one + "," + one + "," + one).size() == 3);
  CHECK(refusal(body_of(one + "," + one + "," + one + "," + one)) == refused);
  CHECK(items(R"({"rooms":["a","b","c"],"data":1})").size() == 3);
  CHECK(refusal(body_of(R"({"rooms":["a","b","c","d"],"data":1})")) == refused);
  CHECK(items(one + R"(,{"rooms":["a","b"],"data":1})").size() == 3);
  CHECK(refusal(body_of(one + R"(,{"rooms":["a","b","c","d","e"],"data":1})")) == refused);
  // Those with a problem have an outcome as well.
  const std::string bad = R"({"room":"","data":1})";
  CHECK(items(bad + "," + bad + "," + bad).size() == 3);
  CHECK(refusal(body_of(bad + "," + bad + "," + bad + "," + bad)) == refused);
}

}  // namespace batch_request_test

#include "service/checks.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace checks_test {

using namespace roomcast;
using hub::Kind;
using service::Checked;
using service::Payload;
using Code = base::Refusal::Code;

namespace {

constexpr service::Limits limits{20, 3};

/// The name of the refusal's code; empty if the payload may be published.
std::string_view refusal(Kind kind, std::string_view bytes, Checked checked = Checked::nothing,
                         const service::Limits& own_limits = limits) {
  const auto payload = Payload::check({kind, bytes, checked}, own_limits);
  return payload ? std::string_view() : base::describe(payload.error().code).name;
}
std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("payload: as large as limits.message_bytes and no larger, of every kind") {
  for (const Kind kind : {Kind::text, Kind::binary}) {
    CHECK(refusal(kind, std::string(20, 'x')).empty());
    CHECK(refusal(kind, std::string(21, 'x')) == "message_too_big");
  }
  CHECK(refusal(Kind::json, std::string(20, '1')).empty());
  CHECK(refusal(Kind::json, std::string(21, '1')) == "message_too_big");
  const auto refused = Payload::check({Kind::text, std::string(21, 'x'), Checked::all}, limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "the message has 21 bytes, limits.message_bytes allows 20");
  CHECK(refusal(Kind::binary, "", Checked::nothing, {0, 63}).empty());
}

TEST_CASE("payload: text is UTF-8 and json one JSON value, unless that is known") {
  CHECK(refusal(Kind::text, "\xc3\xa4").empty());
  CHECK(refusal(Kind::text, "\xc3(") == "invalid_text");
  CHECK(refusal(Kind::text, "\xc3(", Checked::form).empty());
  CHECK(refusal(Kind::binary, "\xc3(").empty());
  CHECK(refusal(Kind::json, "{\"a\":1}").empty());
  for (const char* broken : {"", "1 2", "{\"a\":", "\"\xff\""})
    CHECK(refusal(Kind::json, broken) == "invalid_json");
  CHECK(refusal(Kind::json, "1 2", Checked::all).empty());
}

TEST_CASE(
    "payload: JSON, and text that reads as JSON, is nested as deep as limits.json_depth and no deeper") {
  for (const Checked checked : {Checked::nothing, Checked::form}) {
    CHECK(refusal(Kind::json, nested(3), checked).empty());
    CHECK(refusal(Kind::json, nested(4), checked) == "json_too_deep");
    CHECK(refusal(Kind::text, nested(3), checked).empty());
    CHECK(refusal(Kind::text, nested(4), checked) == "json_too_deep");
    CHECK(refusal(Kind::text, nested(4) + "x", checked).empty());  // that is no JSON
  }
  CHECK(refusal(Kind::binary, nested(4)).empty());
  CHECK(refusal(Kind::json, nested(4), Checked::all).empty());
  const auto refused = Payload::check({Kind::json, nested(4)}, limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "the message is JSON nested deeper than limits.json_depth allows: 3");
}

TEST_CASE("payload: it is copied once, and lone surrogates of JSON are replaced") {
  const auto text = Payload::check({Kind::text, "hi"}, limits);
  REQUIRE(text);
  CHECK(text->kind() == Kind::text);
  CHECK(text->bytes().view() == "hi");
  const Payload copy = *text;
  CHECK(copy.bytes().view().data() == text->bytes().view().data());
  for (const Checked checked : {Checked::nothing, Checked::form}) {
    const auto json = Payload::check({Kind::json, R"("\ud800")", checked}, limits);
    REQUIRE(json);
    CHECK(json->bytes().view() == R"("\ufffd")");
  }
}

TEST_CASE("names: of rooms, clients and keys, at their longest and one byte longer") {
  CHECK_FALSE(service::check_room_name(std::string(200, 'r')));
  CHECK(service::check_room_name(std::string(201, 'r'))->code == Code::bad_room_name);
  CHECK(service::check_room_name("")->code == Code::bad_room_name);
  CHECK_FALSE(service::check_client_name(std::string(100, 'n')));
  CHECK_FALSE(service::check_client_name(""));
  CHECK(service::check_client_name(std::string(101, 'n'))->code == Code::bad_client_name);
  CHECK_FALSE(service::check_key(std::string(200, 'k')));
  CHECK(service::check_key(std::string(201, 'k'))->code == Code::bad_idempotency_key);
  CHECK(service::check_key("")->code == Code::bad_idempotency_key);
  CHECK(service::check_key("\n")->code == Code::bad_idempotency_key);
}

}  // namespace checks_test

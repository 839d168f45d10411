#include "dialect/event_json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "dialect/json.h"
#include "support/payload_list.h"

namespace event_json_test {

using namespace roomcast;
using dialect::Event;

namespace {

std::string encoded(const Event& event) {
  test::PayloadList written;
  CHECK(dialect::Json{}.encode(event, written));
  CHECK(written.only().form == dialect::PayloadForm::text);
  const std::string out = written.only().bytes;
  CHECK(base::is_valid_json(out));
  CHECK(out.find('\n') == std::string::npos);
  return out;
}

constexpr hub::Position cursor{1, 5};

}  // namespace

TEST_CASE("event as JSON: the welcome says who the client is and what it may do") {
  CHECK(encoded(dialect::Welcome{"c1", 25000, 65536, 100}) ==
        R"({"type":"welcome","client":"c1","ping_ms":25000,"limits":{"message_bytes":65536,"rooms":100}})");
  CHECK(
      encoded(dialect::Welcome{"c1", 25000, 65536, 100, 10000}) ==
      R"({"type":"welcome","client":"c1","ping_ms":25000,"limits":{"message_bytes":65536,"rooms":100},"authenticate_ms":10000})");
}

TEST_CASE("event as JSON: who the client is, until when, and where the server puts it") {
  CHECK(encoded(dialect::Authenticated{"1", "ada", {}, "Ada \"L\"", 90'000}) ==
        R"({"type":"authenticated","id":1,"user":"ada","name":"Ada \"L\"","expires_in_ms":90000})");
  CHECK(encoded(dialect::Authenticated{{}, {}, "ci", "ci", {}}) ==
        R"({"type":"authenticated","key":"ci","name":"ci"})");
  CHECK(encoded(dialect::Expires{60'000}) == R"({"type":"expires","in_ms":60000})");
  CHECK(encoded(dialect::JoinedByServer{"r", cursor, {}}) ==
        R"({"type":"subscribed","room":"r","cursor":"0000000000000001-5"})");
  CHECK(
      encoded(dialect::JoinedByServer{"r", cursor, hub::PresenceSnapshot{2, {}, 2}}) ==
      R"({"type":"subscribed","room":"r","cursor":"0000000000000001-5","presence":{"count":2,"anonymous":2}})");
  CHECK(encoded(dialect::LeftByServer{"r", "forbidden", "no"}) ==
        R"({"type":"unsubscribed","room":"r","code":"forbidden","message":"no"})");
}

TEST_CASE("event as JSON: a message to the client itself, of any kind") {
  CHECK(encoded(dialect::Direct{hub::Author("Ada", "user:ada"), hub::Kind::text, "hi"}) ==
        R"({"type":"direct","from":"Ada","user":"ada","data":"hi"})");
  CHECK(encoded(dialect::Direct{{}, hub::Kind::json, "[1,\n2]"}) ==
        R"({"type":"direct","from":null,"data":[1, 2]})");
  CHECK(encoded(dialect::Direct{{}, hub::Kind::binary, "ab"}) ==
        R"({"type":"direct","from":null,"data_base64":"YWI="})");
}

TEST_CASE("event as JSON: ok in all its forms, with the id as the client wrote it") {
  CHECK(encoded(dialect::Subscribed{{}, "lobby", cursor, {}}) ==
        R"({"type":"ok","room":"lobby","cursor":"0000000000000001-5"})");
  CHECK(
      encoded(dialect::Subscribed{"1e2", "lobby", cursor, hub::PresenceSnapshot{2, {}, 2}}) ==
      R"({"type":"ok","id":1e2,"room":"lobby","cursor":"0000000000000001-5","presence":{"count":2,"anonymous":2}})");
  CHECK(encoded(dialect::Ok{"7", "a\"b"}) == R"({"type":"ok","id":7,"room":"a\"b"})");
  CHECK(encoded(dialect::Ok{"\"a\\u0041\"", {}}) == R"({"type":"ok","id":"a\u0041"})");
  CHECK(encoded(dialect::Published{"1", "r", cursor, 3, false}) ==
        R"({"type":"ok","id":1,"room":"r","cursor":"0000000000000001-5","subscribers":3})");
  CHECK(encoded(dialect::Published{"1", "r", cursor, 3, true}) ==
        R"({"type":"ok","id":1,"room":"r","cursor":"0000000000000001-5","subscribers":3,"duplicate":true})");
  CHECK(encoded(dialect::Published{"1", "r", cursor, 3, false, true}) ==
        R"({"type":"ok","id":1,"room":"r","cursor":"0000000000000001-5","subscribers":3,"durable":true})");
}

TEST_CASE("event as JSON: who is there, by name or as a number") {
  const std::vector<hub::Author> names{hub::Author("ada"), hub::Author("b\"b")};
  CHECK(
      encoded(dialect::PresenceList{"1", "r", {3, names, 1}}) ==
      R"({"type":"ok","id":1,"room":"r","presence":{"count":3,"members":[{"name":"ada"},{"name":"b\"b"}],"anonymous":1}})");
  CHECK(encoded(dialect::PresenceList{"1", "r", {0, std::vector<hub::Author>{}, 0}}) ==
        R"({"type":"ok","id":1,"room":"r","presence":{"count":0,"members":[],"anonymous":0}})");
  CHECK(encoded(dialect::MemberJoined{"r", "ada"}) ==
        R"({"type":"join","room":"r","member":{"name":"ada"}})");
  const hub::Message message{
      hub::Kind::json, base::Bytes::copy_of("[1]"), hub::Author("Ada", "user:ada"), 0, {1, 5}, 11};
  CHECK(encoded(dialect::MessageDeleted{"r", {1, 5}}) ==
        R"({"type":"deleted","room":"r","cursor":"0000000000000001-5"})");
  CHECK(
      encoded(dialect::MessageReplaced{"r", &message}) ==
      R"({"type":"replaced","room":"r","cursor":"0000000000000001-5","time":11,"from":"Ada","user":"ada","data":[1]})");
  CHECK(encoded(dialect::RoomCleared{"r", {1, 5}}) ==
        R"({"type":"cleared","room":"r","cursor":"0000000000000001-5"})");
  CHECK(encoded(dialect::MemberJoined{"r", "Ada", "user:ada"}) ==
        R"({"type":"join","room":"r","member":{"name":"Ada","user":"ada"}})");
  CHECK(encoded(dialect::MemberLeft{"r", "CI", "key:ci"}) ==
        R"({"type":"leave","room":"r","member":{"name":"CI","key":"ci"}})");
  const std::vector<hub::Author> mixed{hub::Author("Ada"), hub::Author("Ada", "user:ada")};
  CHECK(
      encoded(dialect::PresenceList{"1", "r", {2, mixed, 0}}) ==
      R"({"type":"ok","id":1,"room":"r","presence":{"count":2,"members":[{"name":"Ada"},{"name":"Ada","user":"ada"}],"anonymous":0}})");
  CHECK(encoded(dialect::MemberLeft{"r", "ada"}) == R"({"type":"leave","room":"r","member":{"name":"ada"}})");
  CHECK(encoded(dialect::PresenceCount{"r", {101, {}, 1}}) ==
        R"({"type":"presence","room":"r","count":101})");
  CHECK(
      encoded(dialect::PresenceCount{"r", {3, names, 1}}) ==
      R"({"type":"presence","room":"r","count":3,"members":[{"name":"ada"},{"name":"b\"b"}],"anonymous":1})");
}

TEST_CASE("event as JSON: a page of history holds whole messages") {
  std::vector<hub::Message> messages(2);
  messages[0] = {hub::Kind::text, base::Bytes::copy_of("a\n"), {}, 0, {1, 4}, 10};
  messages[1] = {hub::Kind::json, base::Bytes::copy_of("[1,\n2]"), hub::Author("ada"), 0, {1, 5}, 11};
  CHECK(
      encoded(dialect::HistoryReply{"1", "r", cursor, {}, messages, true}) ==
      R"({"type":"ok","id":1,"room":"r","cursor":"0000000000000001-5","gap":null,"messages":[)"
      R"({"type":"message","room":"r","cursor":"0000000000000001-4","time":10,"from":null,"data":"a\n"},)"
      R"({"type":"message","room":"r","cursor":"0000000000000001-5","time":11,"from":"ada","data":[1, 2]}],)"
      R"("more":true})");
  CHECK(
      encoded(dialect::HistoryReply{"1", "r", cursor, hub::Gap{cursor, {1, 2}}, {}, false}) ==
      R"({"type":"ok","id":1,"room":"r","cursor":"0000000000000001-5",)"
      R"("gap":{"cursor":"0000000000000001-5","earliest":"0000000000000001-2"},"messages":[],"more":false})");
}

TEST_CASE("event as JSON: gap, pong, error and bye") {
  CHECK(encoded(dialect::GapFound{"r", {cursor, {1, 2}}}) ==
        R"({"type":"gap","room":"r","cursor":"0000000000000001-5","earliest":"0000000000000001-2"})");
  CHECK(encoded(dialect::Pong{}) == R"({"type":"pong"})");
  CHECK(encoded(dialect::Error{"\"i\"", "bad_request", "no"}) ==
        R"({"type":"error","id":"i","code":"bad_request","message":"no"})");
  CHECK(encoded(dialect::Error{"7", "rate_limited", "no", 1'500}) ==
        R"({"type":"error","id":7,"code":"rate_limited","message":"no","retry_ms":1500})");
  CHECK(encoded(dialect::Error{{}, "bad_request", "no"}) ==
        R"({"type":"error","code":"bad_request","message":"no"})");
  CHECK(encoded(dialect::Bye{1012, "server_shutdown", 700}) ==
        R"({"type":"bye","code":1012,"reason":"server_shutdown","retry_ms":700})");
  CHECK(encoded(dialect::Bye{1002, "protocol_error", {}}) ==
        R"({"type":"bye","code":1002,"reason":"protocol_error"})");
  CHECK(encoded(dialect::Bye{3003, "forbidden", {}, "no \"entry\""}) ==
        R"({"type":"bye","code":3003,"reason":"forbidden","message":"no \"entry\""})");
}

}  // namespace event_json_test

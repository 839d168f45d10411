#include "dialect/json.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "hub/cursor.h"

namespace json_test {

using namespace roomcast;
using dialect::PayloadForm;

namespace {

/// Writes down in words what it is told.
struct Recorder final : dialect::CommandHandler {
  void publish(hub::Kind /*kind*/, std::string_view /*payload*/) override { log += "raw publish"; }
  void run(const dialect::Command& command) override {
    std::visit([this](const auto& request) { say(request); }, command);
  }
  void refuse(dialect::RequestId id, const base::Refusal& refusal) override {
    log +=
        std::string("refuse ").append(base::describe(refusal.code).name).append(" [").append(id).append("]");
    message = refusal.message;
  }
  void reply(PayloadForm /*form*/, std::string_view /*bytes*/) override { log += "reply"; }
  void fail(base::CloseReason reason, std::string_view /*text*/) override {
    log += std::string("fail ").append(base::describe(reason).name);
  }

  void begin(std::string_view name, dialect::RequestId id, const std::optional<std::string_view>& room) {
    log.append(name).append(" [").append(id).append("] ");
    log += room ? "in '" + std::string(*room) + "'" : "at home";
  }
  void say(const dialect::Subscribe& request) {
    begin("subscribe", request.id, request.room);
    if (request.interest.since) log += " since " + hub::to_cursor(*request.interest.since);
    if (request.interest.history) log += " history " + std::to_string(*request.interest.history);
    if (request.presence) log += " presence";
  }
  void say(const dialect::Unsubscribe& request) { begin("unsubscribe", request.id, request.room); }
  void say(const dialect::Publish& request) {
    begin("publish", request.id, request.room);
    constexpr std::string_view kinds = "tjb";
    log += std::string(" ") + kinds[static_cast<std::size_t>(request.kind)] + ":";
    log += request.payload;
    if (request.key) log.append(" key ").append(*request.key);
    if (!request.labels.event().empty()) log.append(" event ").append(request.labels.event());
    for (const hub::Tag& tag : request.labels.tags())
      log.append(" ").append(tag.key).append("=").append(tag.value);
  }
  void say(const dialect::AskPresence& request) { begin("presence", request.id, request.room); }
  void say(const dialect::AskHistory& request) {
    begin("history", request.id, request.room);
    if (request.since) log += " since " + hub::to_cursor(*request.since);
    if (request.limit) log += " limit " + std::to_string(*request.limit);
  }
  void say(const dialect::Authenticate& request) {
    log += std::string("authenticate [").append(request.id).append("] ").append(request.token);
  }
  void say(const dialect::Ping& request) { log += std::string("ping [").append(request.id).append("]"); }

  std::string log;
  std::string message;
};

std::string decoded(std::string_view text, PayloadForm form = PayloadForm::text) {
  Recorder recorder;
  dialect::Json{}.decode(form, text, recorder);
  return recorder.log;
}

/// What the refusal says to people.
std::string complaint(std::string_view text) {
  Recorder recorder;
  dialect::Json{}.decode(PayloadForm::text, text, recorder);
  return recorder.message;
}

/// A ping whose member x is nested so deep, in arrays.
std::string ping_of_depth(std::size_t depth) {
  return R"({"type":"ping","id":1,"x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

std::string ping_with_members(std::size_t count) {
  std::string text = R"({"id":1,"type":"ping")";
  for (std::size_t i = 2; i < count; ++i)
    text += ",\"x" + std::to_string(i) + "\":0";
  return text + "}";
}

}  // namespace

TEST_CASE("json dialect: every request is read with all its members") {
  CHECK(decoded(R"({"type":"subscribe","id":1,"room":"lobby"})") == "subscribe [1] in 'lobby'");
  CHECK(
      decoded(
          R"({"type":"subscribe","room":"a/b","since":"00000000000000ff-12","history":5,"presence":true})") ==
      "subscribe [] in 'a/b' since 00000000000000ff-12 history 5 presence");
  CHECK(decoded(R"({"type":"unsubscribe","id":"x","room":"lobby"})") == "unsubscribe [\"x\"] in 'lobby'");
  CHECK(decoded(R"({"type":"publish","id":2,"room":"lobby","data":"hi","key":"k 1"})") ==
        "publish [2] in 'lobby' t:hi key k 1");
  CHECK(decoded(R"({"type":"presence","id":3,"room":"lobby"})") == "presence [3] in 'lobby'");
  CHECK(decoded(R"({"type":"history","id":4,"room":"r","since":"0000000000000001-0","limit":10})") ==
        "history [4] in 'r' since 0000000000000001-0 limit 10");
  CHECK(decoded(R"({"type":"ping","id":5})") == "ping [5]");
  CHECK(decoded(R"({"type":"ping"})") == "ping []");
}

TEST_CASE("json dialect: a room that is left out is the connection's, an empty one is not") {
  CHECK(decoded(R"({"type":"subscribe"})") == "subscribe [] at home");
  CHECK(decoded(R"({"type":"publish","data":1})") == "publish [] at home j:1");
  CHECK(decoded(R"({"type":"subscribe","room":""})") == "subscribe [] in ''");
}

TEST_CASE("json dialect: an id stands as it was written") {
  for (const std::string id :
       {"1e2", "-0.5", R"("a\u0041")", R"("")", "12345678901234567890123", R"("\ud800")"})
    CHECK(decoded(R"({"type":"ping","id": )" + id + " }") == "ping [" + id + "]");
}

TEST_CASE("json dialect: an id may take 64 bytes and not one more") {
  const std::string fits = '"' + std::string(62, 'i') + '"';
  const std::string too_long = '"' + std::string(63, 'i') + '"';
  CHECK(decoded(R"({"type":"ping","id":)" + fits + "}") == "ping [" + fits + "]");
  CHECK(decoded(R"({"type":"ping","id":)" + too_long + "}") == "refuse bad_request []");
  CHECK(complaint(R"({"type":"ping","id":)" + too_long + "}").find("64 bytes") != std::string::npos);
  for (const char* other : {"true", "[]", "{}"})
    CHECK(decoded(std::string(R"({"type":"ping","id":)") + other + "}") == "refuse bad_request []");
}

TEST_CASE("json dialect: data is text if it is a string, and any other JSON value as it was written") {
  CHECK(decoded(R"({"type":"publish","data":"a\n\ud83d\ude00\ud800"})") ==
        "publish [] at home t:a\n\xF0\x9F\x98\x80\xEF\xBF\xBD");
  CHECK(decoded(R"({"type":"publish","data":""})") == "publish [] at home t:");
  CHECK(decoded(R"({"type":"publish","data": {"b" : 1e400, "b":[ ]} })") ==
        R"(publish [] at home j:{"b" : 1e400, "b":[ ]})");
  for (const char* value : {"null", "true", "-0", "[1, 2]"})
    CHECK(decoded(std::string(R"({"type":"publish","data":)") + value + "}") ==
          std::string("publish [] at home j:") + value);
}

TEST_CASE("json dialect: data_base64 is binary, escaped or not") {
  CHECK(decoded(R"({"type":"publish","data_base64":"AP8/Pw=="})") ==
        std::string("publish [] at home b:") + std::string("\0\xFF??", 4));
  CHECK(decoded(R"({"type":"publish","data_base64":"AP8\/Pw=="})") ==
        std::string("publish [] at home b:") + std::string("\0\xFF??", 4));
  CHECK(decoded(R"({"type":"publish","data_base64":""})") == "publish [] at home b:");
  for (const char* broken : {"A", "AA", "AAA", "A===", "AB==", "AA=A", "AA-_"})
    CHECK(decoded(std::string(R"({"type":"publish","id":1,"data_base64":")") + broken + "\"}") ==
          "refuse invalid_data [1]");
}

TEST_CASE("json dialect: publish needs exactly one of data and data_base64") {
  CHECK(decoded(R"({"type":"publish","id":1})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"type":"publish","id":1,"data":null,"data_base64":""})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"type":"publish","id":1,"data_base64":7})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"type":"publish","data":1,"data_base64":null})") == "publish [] at home j:1");
}

TEST_CASE("json dialect: a message may have an event name and tags") {
  CHECK(decoded(R"({"type":"publish","data":1,"event":"a \u0062","tags":{"k":"v","\u00e4":""}})") ==
        "publish [] at home j:1 event a b k=v \u00e4=");
  CHECK(decoded(R"({"type":"publish","data":1,"event":null,"tags":{}})") == "publish [] at home j:1");
  const auto with_event = [](const std::string& event) {
    return decoded(R"({"type":"publish","data":1,"event":")" + event + "\"}");
  };
  const std::string longest(64, 'e');
  CHECK(with_event(longest) == "publish [] at home j:1 event " + longest);
  for (const std::string& bad : {longest + "e", std::string(), std::string("a\\n")})
    CHECK(with_event(bad) == "refuse bad_request []");
  CHECK(decoded(R"({"type":"publish","data":1,"event":7})") == "refuse bad_request []");
  for (const char* bad : {"1", "[]", "{\"a\":1}", "{\"a\":null}", "{\"a\":{}}"})
    CHECK(decoded(R"({"type":"publish","data":1,"tags":)" + std::string(bad) + "}") ==
          "refuse bad_request []");
}

TEST_CASE("json dialect: at most 16 tags, of 1024 bytes together") {
  const auto with_tags = [](int count, std::size_t bytes) {
    std::string tags;
    for (int i = 0; i < count; ++i) {
      const std::string key = std::to_string(10 + i);  // of two bytes
      const std::size_t value = i == 0 ? bytes - 2 * static_cast<std::size_t>(count) : 0;
      tags.append(i == 0 ? "\"" : ",\"").append(key).append("\":\"").append(value, 'v').append("\"");
    }
    return decoded(R"({"type":"publish","data":1,"tags":{)" + tags + "}}").substr(0, 7);
  };
  CHECK(with_tags(16, 1'024) == "publish");
  CHECK(with_tags(17, 1'024) == "refuse ");
  CHECK(with_tags(16, 1'025) == "refuse ");
}

TEST_CASE("json dialect: a key has 1 to 200 printable ASCII characters") {
  const auto with_key = [](const std::string& key) {
    return decoded(R"({"type":"publish","data":1,"key":)" + key + "}");
  };
  const std::string longest(200, '~');
  CHECK(with_key('"' + longest + '"') == "publish [] at home j:1 key " + longest);
  CHECK(with_key("\" \"") == "publish [] at home j:1 key  ");
  CHECK(with_key("null") == "publish [] at home j:1");
  for (const std::string& bad : {'"' + longest + "~\"", std::string(R"("")"), std::string(R"("\u007f")"),
                                 std::string(R"("\n")"), std::string("\"\xC3\xA4\""), std::string("7")})
    CHECK(with_key(bad) == "refuse bad_request []");
}

TEST_CASE("json dialect: what is no text, no JSON or no object") {
  CHECK(decoded(R"({"type":"ping"})", PayloadForm::binary) == "fail unsupported_data");
  for (const char* broken : {"", "{", "{}x", "{'type':'ping'}", "hello", R"({"type":"ping",})"})
    CHECK(decoded(broken) == "fail invalid_data");
  for (const char* other : {"[]", "1", "\"ping\"", "null", R"([{"type":"ping"}])"})
    CHECK(decoded(other) == "refuse bad_request []");
}

TEST_CASE("json dialect: a type must be one that is known") {
  CHECK(decoded("{}") == "refuse bad_request []");
  CHECK(decoded(R"({"id":1})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"id":1,"type":7})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"id":1,"type":"Ping"})") == "refuse unknown_type [1]");
  CHECK(decoded(R"({"id":1,"type":"welcome"})") == "refuse unknown_type [1]");
}

TEST_CASE(
    "json dialect: unknown members are ignored, of the same twice the last counts, names may be escaped") {
  CHECK(decoded(R"({"x":{"type":"publish"},"type":"publish","type":"ping","id":1,"id":2,"more":[1]})") ==
        "ping [2]");
  CHECK(decoded(R"({"t\u0079pe":"p\u0069ng","\u0069d":3})") == "ping [3]");
  CHECK(decoded(R"({"type":"ping","id":1,"id":null})") == "ping []");
}

TEST_CASE("json dialect: members that can't be what they should are refused with the reason") {
  CHECK(decoded(R"({"type":"subscribe","id":1,"room":7})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"type":"subscribe","id":1,"since":"yesterday"})") == "refuse bad_cursor [1]");
  CHECK(decoded(R"({"type":"subscribe","id":1,"since":7})") == "refuse bad_cursor [1]");
  CHECK(decoded(R"({"type":"subscribe","id":1,"history":-1})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"type":"subscribe","id":1,"history":1.0})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"type":"subscribe","id":1,"presence":1})") == "refuse bad_request [1]");
  CHECK(decoded(R"({"type":"history","id":1,"limit":"7"})") == "refuse bad_request [1]");
  CHECK(complaint(R"({"type":"history","id":1,"limit":"7"})") == "limit must be a whole number of messages");
  CHECK(decoded(R"({"type":"subscribe","room":null,"since":null,"history":null,"presence":null})") ==
        "subscribe [] at home");
}

TEST_CASE("json dialect: a question without an id has nowhere to be answered") {
  CHECK(decoded(R"({"type":"history","room":"r"})") == "refuse bad_request []");
  CHECK(decoded(R"({"type":"presence","room":"r"})") == "refuse bad_request []");
}

TEST_CASE("json dialect: a request may be nested 64 deep and not one deeper") {
  CHECK(decoded(ping_of_depth(64)) == "ping [1]");
  CHECK(decoded(ping_of_depth(65)) == "refuse bad_request [1]");
  CHECK(complaint(ping_of_depth(65)).find("64 deep") != std::string::npos);
  CHECK(decoded(ping_of_depth(1024)) == "refuse bad_request [1]");
  CHECK(decoded(ping_of_depth(1025)) == "refuse bad_request []");
  CHECK(decoded(ping_of_depth(65) + "x") == "fail invalid_data");
}

TEST_CASE("json dialect: a request may have 64 members and not one more") {
  CHECK(decoded(ping_with_members(64)) == "ping [1]");
  CHECK(decoded(ping_with_members(65)) == "refuse bad_request [1]");
  CHECK(complaint(ping_with_members(65)).find("64 members") != std::string::npos);
}

TEST_CASE("json dialect: a request that is cut off anywhere is broken, whatever it was") {
  const std::string whole = R"({"type":"publish","id":1,"room":"r","data":{"a":[1,"\u00e4"]},"key":"k"})";
  REQUIRE(decoded(whole) == R"(publish [1] in 'r' j:{"a":[1,"\u00e4"]} key k)");
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(decoded(whole.substr(0, size)) == "fail invalid_data");
}

TEST_CASE("json dialect: authenticate has a token, of which no error says anything") {
  CHECK(decoded(R"({"type":"authenticate","id":1,"token":"a.b-c\u0041"})") == "authenticate [1] a.b-cA");
  for (const char* token : {"\"\"", "null", "12345", "[\"secret\"]"}) {
    const std::string request = std::string(R"({"type":"authenticate","id":1,"token":)") + token + "}";
    CHECK(decoded(request) == "refuse bad_request [1]");
    CHECK(complaint(request) == "authenticate needs a token, as a string");
  }
  CHECK(decoded(R"({"type":"authenticate","id":1})") == "refuse bad_request [1]");
}

}  // namespace json_test

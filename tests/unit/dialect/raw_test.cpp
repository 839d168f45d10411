#include "dialect/raw.h"

#include <doctest/doctest.h>

#include <string>

#include "dialect/echo.h"
#include "support/payload_list.h"

namespace raw_test {

using namespace roomcast;

namespace {

struct Recorder final : dialect::CommandHandler {
  void publish(hub::Kind kind, std::string_view payload) override {
    log += (kind == hub::Kind::text ? "publish text " : "publish binary ") + std::string(payload);
  }
  void run(const dialect::Command& /*command*/) override { log += "run"; }
  void refuse(dialect::RequestId /*id*/, const base::Refusal& /*refusal*/) override { log += "refuse"; }
  void reply(dialect::PayloadForm form, std::string_view bytes) override {
    log += (form == dialect::PayloadForm::text ? "reply text " : "reply binary ") + std::string(bytes);
  }
  void fail(base::CloseReason /*reason*/, std::string_view /*text*/) override { log += "fail"; }
  std::string log;
};

std::string decoded(const dialect::Dialect& dialect, dialect::PayloadForm form, std::string_view bytes) {
  Recorder recorder;
  dialect.decode(form, bytes, recorder);
  return recorder.log;
}

}  // namespace

TEST_CASE("raw dialect: a message is published as what it came as") {
  CHECK(decoded(dialect::Raw{}, dialect::PayloadForm::text, "hi") == "publish text hi");
  CHECK(decoded(dialect::Raw{}, dialect::PayloadForm::binary, "hi") == "publish binary hi");
  CHECK(decoded(dialect::Raw{}, dialect::PayloadForm::text, "") == "publish text ");
}

TEST_CASE("raw dialect: a message arrives verbatim, json as its text") {
  const dialect::Raw raw;
  const auto encoded = [&](hub::Kind kind) {
    hub::Message message;
    message.kind = kind;
    message.payload = base::Bytes::copy_of("{\"a\":1}");
    test::PayloadList out;
    raw.encode("lobby", message, out);
    const auto payload = out.only();
    CHECK(payload.address == message.payload.view().data());  // not a copy
    return payload.bytes + (payload.form == dialect::PayloadForm::text ? " text" : " binary");
  };
  CHECK(encoded(hub::Kind::text) == "{\"a\":1} text");
  CHECK(encoded(hub::Kind::json) == "{\"a\":1} text");
  CHECK(encoded(hub::Kind::binary) == "{\"a\":1} binary");
}

TEST_CASE("raw dialect: a message has its own event name, unless that name is in use or it is binary") {
  const auto name_of = [](std::string_view event, hub::Kind kind = hub::Kind::text) {
    hub::Message message;
    message.kind = kind;
    message.labels = hub::Labels(event, {});
    return std::string(dialect::Raw{}.event_name(message));
  };
  CHECK(name_of("tick") == "tick");
  CHECK(name_of("tick", hub::Kind::json) == "tick");
  CHECK(name_of("tick", hub::Kind::binary).empty());
  for (const char* used : {"joined", "gap", "bye", "binary", "open", "error", "message", "direct", "deleted",
                           "replaced", "cleared", ""})
    CHECK(name_of(used).empty());
}

TEST_CASE(
    "raw dialect: where a wire names events, a client is told that it has joined and what it has missed, "
    "and which messages have changed") {
  const dialect::Raw raw;
  const auto told = [&raw](const dialect::Event& event) {
    test::PayloadList out;
    CHECK(raw.encode(event, out));
    CHECK(out.only().form == dialect::PayloadForm::text);
    return std::string(raw.event_name(event)) + ' ' + out.only().bytes;
  };
  const hub::Position place{1, 2};
  CHECK(told(dialect::Subscribed{{}, "a \"b\"", place, {}}) ==
        R"(joined {"room":"a \"b\"","cursor":"0000000000000001-2"})");
  CHECK(told(dialect::GapFound{"a", {place, {1, 0}}}) ==
        R"(gap {"room":"a","cursor":"0000000000000001-2","earliest":"0000000000000001-0"})");
  CHECK(told(dialect::MessageDeleted{"a", place}) == R"(deleted {"room":"a","cursor":"0000000000000001-2"})");
  CHECK(told(dialect::RoomCleared{"a", place}) == R"(cleared {"room":"a","cursor":"0000000000000001-2"})");
  const hub::Message message{
      hub::Kind::text, base::Bytes::copy_of("x"), hub::Author("Ada", "user:ada"), 0, place, 7};
  CHECK(
      told(dialect::MessageReplaced{"a", &message}) ==
      R"(replaced {"room":"a","cursor":"0000000000000001-2","time":7,"from":"Ada","user":"ada","data":"x"})");
  CHECK(told(dialect::Bye{1012, "server_shutdown", 5}) ==
        R"(bye {"code":1012,"reason":"server_shutdown","retry_ms":5})");
}

TEST_CASE("raw dialect: a message to the client itself is its payload, named where the wire names events") {
  const dialect::Raw raw;
  test::PayloadList out;
  CHECK(raw.encode(dialect::Direct{hub::Author("Ada", "user:ada"), hub::Kind::binary, "ab"}, out));
  CHECK(out.only().form == dialect::PayloadForm::binary);
  CHECK(out.only().bytes == "ab");
  CHECK(raw.event_name(dialect::Direct{}) == "direct");
}

TEST_CASE("raw dialect: there are no words for anything else") {
  test::PayloadList out;
  CHECK_FALSE(dialect::Raw{}.encode(dialect::Welcome{}, out));
  CHECK_FALSE(dialect::Raw{}.encode(dialect::Error{}, out));
  CHECK(out.payloads.empty());
}

TEST_CASE("echo dialect: everything goes back to whoever sent it") {
  CHECK(decoded(dialect::Echo{}, dialect::PayloadForm::text, "hi") == "reply text hi");
  CHECK(decoded(dialect::Echo{}, dialect::PayloadForm::binary, "hi") == "reply binary hi");
}

}  // namespace raw_test

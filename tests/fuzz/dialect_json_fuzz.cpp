#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "base/text.h"
#include "check.h"
#include "dialect/json.h"
#include "dialect/json_request.h"

using namespace roomcast;

namespace {

const dialect::Json json;

/// What a client would be sent must be one JSON value on one line.
struct LineCheck final : dialect::PayloadWriter {
  void write(dialect::PayloadForm form, std::string_view line, bool more) override {
    FUZZ_CHECK(form == dialect::PayloadForm::text && !more);
    FUZZ_CHECK(base::is_valid_json(line));
    FUZZ_CHECK(line.find_first_of("\r\n") == std::string::npos);
    ++lines;
  }
  int lines = 0;
};

void check_event(const dialect::Event& event) {
  LineCheck check;
  FUZZ_CHECK(json.encode(event, check) && check.lines == 1);
}

/// Checks what each call promises.
struct Checker final : dialect::CommandHandler {
  void publish(hub::Kind /*kind*/, std::string_view /*payload*/) override { FUZZ_CHECK(false); }
  void reply(dialect::PayloadForm /*form*/, std::string_view /*bytes*/) override { FUZZ_CHECK(false); }
  void fail(base::CloseReason reason, std::string_view text) override {
    ++calls;
    failed = reason;
    FUZZ_CHECK(!text.empty() && text.size() <= 123);
  }
  void refuse(dialect::RequestId id, const base::Refusal& refusal) override {
    ++calls;
    FUZZ_CHECK(!refusal.message.empty());
    check_id(id);
    check_event(dialect::Error{id, base::describe(refusal.code).name, refusal.message});
  }
  void run(const dialect::Command& command) override {
    ++calls;
    std::visit([](const auto& request) { check_id(request.id); }, command);
    if (const auto* published = std::get_if<dialect::Publish>(&command)) check(*published);
    if (const auto* subscribed = std::get_if<dialect::Subscribe>(&command)) {
      check_event(dialect::Subscribed{subscribed->id, subscribed->room.value_or(""), {}, {}});
    }
  }
  static void check_id(dialect::RequestId id) {
    if (id.empty()) return;
    FUZZ_CHECK(id.size() <= dialect::json_request_id_bytes_max);
    check_event(dialect::Ok{id, {}});
  }
  static void check(const dialect::Publish& request) {
    if (request.kind == hub::Kind::text) FUZZ_CHECK(base::is_valid_utf8(request.payload));
    if (request.kind == hub::Kind::json) FUZZ_CHECK(base::is_valid_json(request.payload));
    if (request.key) FUZZ_CHECK(!request.key->empty() && request.key->size() <= 200);
    hub::Message message;
    message.kind = request.kind;
    message.payload = base::Bytes::copy_of(request.payload);
    LineCheck check;
    json.encode(request.room.value_or("home"), message, check);
    FUZZ_CHECK(check.lines == 1);
  }

  int calls = 0;
  base::CloseReason failed = base::CloseReason::client_closed;
};

}  // namespace

/// Every message has exactly one outcome, and whatever is said of it is sound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Checker checker;
  json.decode(dialect::PayloadForm::text, text, checker);
  FUZZ_CHECK(checker.calls == 1);
  const bool is_broken = base::judge_json(text) == base::JsonVerdict::broken;
  FUZZ_CHECK((checker.failed == base::CloseReason::invalid_data) == is_broken);
  return 0;
}

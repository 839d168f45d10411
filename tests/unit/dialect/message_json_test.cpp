#include "dialect/message_json.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace message_json_test {

using namespace roomcast;

namespace {

std::string json_of(hub::Kind kind, std::string_view payload, std::string_view from = "ada") {
  std::string out = "before";
  dialect::append_message_json(out, "a\"b",
                               {kind, base::Bytes::copy_of(payload), hub::Author(from), 0, {0xab, 7}, 12});
  const std::string front =
      R"(before{"type":"message","room":"a\"b","cursor":"00000000000000ab-7","time":12,"from":)";
  REQUIRE(out.rfind(front, 0) == 0);
  return out.substr(front.size());
}

}  // namespace

TEST_CASE("message json: a text payload is a JSON string") {
  CHECK(json_of(hub::Kind::text, "say \"hi\"\n") == R"("ada","data":"say \"hi\"\n"})");
}

TEST_CASE("message json: a json payload stands as it came, on one line") {
  CHECK(json_of(hub::Kind::json, "{\"a\" :\r\n [1.0,\n 2e400]}") ==
        R"("ada","data":{"a" :   [1.0,  2e400]}})");
}

TEST_CASE("message json: a binary payload is base64 under another name") {
  CHECK(json_of(hub::Kind::binary, std::string_view("\0\xff\x01\x02", 4)) ==
        R"("ada","data_base64":"AP8BAg=="})");
  CHECK(json_of(hub::Kind::binary, "") == R"("ada","data_base64":""})");
}

TEST_CASE("message json: event and tags stand before the payload, each if there is one") {
  const auto labelled = [](std::string_view event, std::vector<hub::Tag> tags) {
    hub::Message message{hub::Kind::text, base::Bytes::copy_of("x"), {}, 0, {0xab, 7}, 12};
    message.labels = hub::Labels(event, std::move(tags));
    std::string out;
    dialect::append_message_json(out, "r", message);
    return out.substr(out.find(R"("from")"));
  };
  CHECK(labelled("ti\"ck", {}) == R"("from":null,"event":"ti\"ck","data":"x"})");
  CHECK(labelled("", {{"a", "1"}, {"b\n", ""}}) == R"("from":null,"tags":{"a":"1","b\n":""},"data":"x"})");
  CHECK(labelled("e", {{"a", "1"}}) == R"("from":null,"event":"e","tags":{"a":"1"},"data":"x"})");
  CHECK(labelled("", {}) == R"("from":null,"data":"x"})");
}

TEST_CASE("message json: a sender without a name is null") {
  CHECK(json_of(hub::Kind::text, "x", "") == R"(null,"data":"x"})");
}

TEST_CASE("message json: behind the name stands who an identified sender is") {
  const auto sent_by = [](hub::Author author) {
    std::string out;
    dialect::append_message_json(out, "r", {hub::Kind::text, {}, std::move(author), 0, {0xab, 7}, 12});
    return out.substr(out.find(R"("from")"));
  };
  CHECK(sent_by(hub::Author("Ada", "user:a\"da")) == R"("from":"Ada","user":"a\"da","data":""})");
  CHECK(sent_by(hub::Author("Ada", "user:key:x")) == R"("from":"Ada","user":"key:x","data":""})");
  CHECK(sent_by(hub::Author("CI", "key:ci")) == R"("from":"CI","key":"ci","data":""})");
  CHECK(sent_by(hub::Author("user:ada")) == R"("from":"user:ada","data":""})");
}

}  // namespace message_json_test

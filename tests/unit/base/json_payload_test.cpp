#include "base/json.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace json_payload_test {

using namespace roomcast;

namespace {

std::string whole(std::string_view json) {
  std::string space;
  const std::string_view result = base::with_whole_characters(json, space);
  CHECK(result.size() == json.size());
  return std::string(result);
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON payload: what has no lone surrogate is the text itself, not a copy") {
  for (const std::string_view json : {R"("plain")", R"("\ud83d\ude00")", R"("\u00e9\n\\")", R"("\\ud800")",
                                      R"(["\ud7ff","\ue000"])", "1", ""}) {
    CAPTURE(json);
    std::string space;
    CHECK(base::with_whole_characters(json, space).data() == json.data());
    CHECK(space.empty());
  }
}

TEST_CASE("JSON payload: each lone surrogate becomes U+FFFD, in as many bytes") {
  CHECK(whole(R"("\ud800")") == R"("\ufffd")");
  CHECK(whole(R"("\udbff!")") == R"("\ufffd!")");
  CHECK(whole(R"("\udc00")") == R"("\ufffd")");
  CHECK(whole(R"("\uDFFF")") == R"("\ufffd")");
  // A high one followed by another escape, by another high one, or by a low one further on.
  CHECK(whole(R"("\ud800\u0041")") == R"("\ufffd\u0041")");
  CHECK(whole(R"("\ud800\ud83d\ude00")") == R"("\ufffd\ud83d\ude00")");
  CHECK(whole(R"("\ud800 \udc00")") == R"("\ufffd \ufffd")");
  CHECK(whole(R"("\ud800\n\udc00")") == R"("\ufffd\n\ufffd")");
  // Two pairs crosswise: the middle one is a pair.
  CHECK(whole(R"("\ude00\ud83d\ude00\ud83d")") == R"("\ufffd\ud83d\ude00\ufffd")");
  CHECK(whole(R"({"\ud800":["\udc00","\\\ud900"]})") == R"({"\ufffd":["\ufffd","\\\ufffd"]})");
}

TEST_CASE("JSON payload: it is deeper than a depth from one level more on, and only if it is JSON") {
  CHECK_FALSE(base::is_json_deeper_than(nested(3), 3));
  CHECK(base::is_json_deeper_than(nested(4), 3));
  CHECK(base::is_json_deeper_than("[[[{\"a\":1}]]]", 3));
  CHECK_FALSE(base::is_json_deeper_than("[[],[],[],[]]", 3));
  CHECK_FALSE(base::is_json_deeper_than("[[[[]]]", 3));    // one bracket is missing
  CHECK_FALSE(base::is_json_deeper_than("[[[[]]]]]", 3));  // one too many
  CHECK_FALSE(base::is_json_deeper_than("hello [[[[ there ]]]]", 3));
  CHECK(base::is_json_deeper_than(nested(10'000), 3));  // past what is looked at, it counts as JSON
}

}  // namespace json_payload_test

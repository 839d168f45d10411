#include "base/json_cursor.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

#include "support/json_walk.h"

namespace json_cursor_test {

using roomcast::base::JsonCursor;
using roomcast::base::JsonElements;
using roomcast::base::JsonKind;
using roomcast::base::JsonMembers;
using roomcast::base::JsonValue;
using Verdict = roomcast::base::JsonVerdict;

namespace {

struct Walked {
  Verdict verdict;
  std::string text;
};
Walked walk(std::string_view text, std::size_t depth_max = 1024) {
  JsonCursor cursor(text, depth_max);
  std::string out;
  roomcast::test::rebuild(cursor, out);
  return {cursor.verdict(), out};
}

}  // namespace

TEST_CASE("a JSON cursor walks a text from front to back without loss") {
  const Walked walked =
      walk(R"( { "a" : [ 1 , "x\"]" , { } , [ ] , [ [ ] , null ] ] , "b\n" : { "c" : true } } )");
  CHECK(walked.verdict == Verdict::valid);
  CHECK(walked.text == R"({"a":[1,"x\"]",{},[],[[],null]],"b\n":{"c":true}})");
  CHECK(walk(" 12 ").text == "12");
  CHECK(walk("[]").verdict == Verdict::valid);
  CHECK(walk(R"({"":[[[]]]})").verdict == Verdict::valid);
}

TEST_CASE("a JSON cursor passes over a value of any kind, and gives its bytes") {
  JsonCursor cursor(R"({"a": {"b":[1,{"c":"]}"}]} ,"d" : "\\","e":-1.5e+3 , "f":[] })");
  REQUIRE(cursor.enter());
  for (const std::string_view expected : {R"({"b":[1,{"c":"]}"}]})", R"("\\")", "-1.5e+3", "[]"}) {
    REQUIRE(cursor.next_name());
    const auto value = cursor.value();
    REQUIRE(value);
    CHECK(value->raw() == expected);
    CHECK(cursor.verdict() == Verdict::broken);  // not the complete text yet
  }
  CHECK_FALSE(cursor.next_name());
  CHECK_FALSE(cursor.has_failed());
  CHECK(cursor.verdict() == Verdict::valid);
}

TEST_CASE("a JSON cursor fails where the text turns out to be invalid, and from then on always") {
  for (const std::string_view text : {"",          " ",           "[1,]",        "[,1]",
                                      "[1 2]",     "[1}",         "[",           "[1",
                                      R"({"a"})",  R"({"a":})",   R"({"a":1,})", R"({,"a":1})",
                                      R"({1:2})",  R"({"a":1]})", R"({"a" 1})",  R"({"a":1 "b":2})",
                                      "[]x",       "[nul]",       R"(["\x"])",   R"(["\u12g4"])",
                                      "[\"\n\"]",  "[01]",        "[1.]",        "[-]",
                                      "[1e]",      "{",           "]",           R"({"a)",
                                      R"({"a":"b)"}) {
    CAPTURE(text);
    CHECK(walk(text).verdict == Verdict::broken);
  }
  JsonCursor cursor("[1 2]");
  REQUIRE(cursor.enter());
  REQUIRE(cursor.next_element());
  CHECK(cursor.value());
  CHECK_FALSE(cursor.next_element());
  CHECK(cursor.has_failed());
  CHECK_FALSE(cursor.value());
  CHECK_FALSE(cursor.enter());
  CHECK_FALSE(cursor.next_name());
}

TEST_CASE("a JSON cursor goes as deep as it may and no deeper, by either way") {
  CHECK(walk("[[1]]", 2).verdict == Verdict::valid);
  CHECK(walk("[[[]]]", 2).verdict == Verdict::too_deep);
  CHECK(walk(R"([{"a":1}])", 2).verdict == Verdict::valid);
  JsonCursor whole("[[[]]]", 2);
  CHECK_FALSE(whole.value());
  CHECK(whole.verdict() == Verdict::too_deep);
  JsonCursor inner("[[[]]]", 2);
  REQUIRE(inner.enter());
  REQUIRE(inner.next_element());
  CHECK_FALSE(inner.value());
  CHECK(inner.verdict() == Verdict::too_deep);
}

TEST_CASE("strings are judged the same wherever their special bytes stand") {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string plain(size, '\x7F');
    CHECK(roomcast::base::is_valid_json('"' + plain + '"'));
    CHECK_FALSE(roomcast::base::is_valid_json('"' + plain));
    for (std::size_t at = 0; at < size; ++at) {
      std::string changed = plain;
      for (const char c : {'"', '\\', '\x1F', '\0', '\x20', '\x21', '\x5B', '\x5D'}) {
        changed[at] = c;
        const bool is_plain = c >= 0x20 && c != '"' && c != '\\';
        CHECK(roomcast::base::is_valid_json('"' + changed + '"') == is_plain);
      }
      changed.replace(at, 1, "\xC3\xA4\xE2\x82\xAC");
      CHECK(roomcast::base::is_valid_json('"' + changed + '"'));
      changed.replace(at, 5, "\\u00aF");
      CHECK(roomcast::base::is_valid_json('"' + changed + '"'));
    }
  }
}

TEST_CASE("mutated JSON is judged the same value by value and as a whole") {
  std::mt19937 random(11);
  const std::string seed = R"([{"a":[1,-2.5,3e4,true,false,null],"b\n":"\u00e4\\"},[],{},"x", 0 ])";
  const std::string alphabet = "{}[]\",:\\0123456789eE+-.tfnrulsa \n";
  std::uniform_int_distribution<std::size_t> place(0, seed.size() - 1);
  std::uniform_int_distribution<std::size_t> letter(0, alphabet.size() - 1);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    for (int change = 0; change <= round % 3; ++change)
      text[place(random)] = alphabet[letter(random)];
    CAPTURE(text);
    const Walked walked = walk(text);
    REQUIRE(walked.verdict == roomcast::base::judge_json(text));
    if (walked.verdict != Verdict::valid) continue;
    REQUIRE(walk(walked.text).text == walked.text);
    ++accepted;
  }
  CHECK(accepted > 1000);
}

}  // namespace json_cursor_test

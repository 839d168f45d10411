#include "base/json_reader.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace json_reader_test {

using roomcast::base::JsonElements;
using roomcast::base::JsonKind;
using roomcast::base::JsonMembers;
using roomcast::base::JsonValue;

namespace {

std::string text_of(std::string_view raw) {
  std::string out;
  JsonValue(raw).append_text(out);
  return out;
}

std::vector<std::string> elements_of(std::string_view array) {
  std::vector<std::string> raws;
  JsonElements elements{JsonValue(array)};
  while (const auto element = elements.next())
    raws.emplace_back(element->raw());
  return raws;
}

/// `name value` for each member, both raw.
std::vector<std::string> members_of(std::string_view object) {
  std::vector<std::string> raws;
  JsonMembers members{JsonValue(object)};
  while (const auto member = members.next())
    raws.push_back(std::string(member->name.raw()) + " " + std::string(member->value.raw()));
  return raws;
}

/// Copies a value member by member: equal to the original except for space between tokens.
void rebuild(const JsonValue& value, std::string& out) {
  if (value.is(JsonKind::array)) {
    out += '[';
    JsonElements elements(value);
    while (const auto element = elements.next()) {
      if (out.back() != '[') out += ',';
      rebuild(*element, out);
    }
    out += ']';
  } else if (value.is(JsonKind::object)) {
    out += '{';
    JsonMembers members(value);
    while (const auto member = members.next()) {
      if (out.back() != '{') out += ',';
      out += member->name.raw();
      out += ':';
      rebuild(member->value, out);
    }
    out += '}';
  } else {
    out += value.raw();
  }
}

}  // namespace

TEST_CASE("a JSON value knows its kind, whatever space stands around it") {
  CHECK(JsonValue(" null ").is(JsonKind::null));
  CHECK(JsonValue("true").is(JsonKind::boolean));
  CHECK(JsonValue("\tfalse\r\n").is(JsonKind::boolean));
  CHECK(JsonValue("-0.5e1").is(JsonKind::number));
  CHECK(JsonValue("7").is(JsonKind::number));
  CHECK(JsonValue("\" \"").is(JsonKind::string));
  CHECK(JsonValue("[ ]").is(JsonKind::array));
  CHECK(JsonValue("{}").is(JsonKind::object));
  CHECK(JsonValue(" [ 1 ] ").raw() == "[ 1 ]");
}

TEST_CASE("the members of a JSON object are walked in order, their values raw") {
  CHECK(members_of("{}").empty());
  CHECK(members_of(" { } ").empty());
  CHECK(members_of(R"({"a":1})") == std::vector<std::string>{R"("a" 1)"});
  CHECK(members_of(R"( { "a" : [ 1 , {"b":2} ] , "a":"}\"]," , "c\n":{"d":[]}, "e" : null } )") ==
        std::vector<std::string>{R"("a" [ 1 , {"b":2} ])", R"("a" "}\"],")", R"("c\n" {"d":[]})",
                                 R"("e" null)"});
  CHECK(members_of("[1]").empty());
  CHECK(members_of("\"{}\"").empty());
}

TEST_CASE("the elements of a JSON array are walked in order") {
  CHECK(elements_of("[]").empty());
  CHECK(elements_of("[\n]").empty());
  CHECK(elements_of("[1]") == std::vector<std::string>{"1"});
  CHECK(elements_of(R"([ [], {} ,"[\\",-1.5E+3 , true,null ])") ==
        std::vector<std::string>{"[]", "{}", R"("[\\")", "-1.5E+3", "true", "null"});
  CHECK(elements_of("{\"a\":1}").empty());
}

TEST_CASE("a JSON string stands for the text its escapes say") {
  CHECK(text_of(R"("")").empty());
  CHECK(text_of(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(text_of(R"("\u0041\u00e4\u20AC")") == "A\xC3\xA4\xE2\x82\xAC");
  CHECK(text_of(R"("\u0000")") == std::string(1, '\0'));
  CHECK(text_of(R"("\u007f\u0080\u07ff\u0800\uffff")") == "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
  CHECK(text_of("\"\xF0\x9F\x98\x80\"") == "\xF0\x9F\x98\x80");
  CHECK(text_of("12").empty());
}

TEST_CASE("escaped surrogates make one character, and U+FFFD when one is alone") {
  const std::string alone = "\xEF\xBF\xBD";
  CHECK(text_of(R"("\ud83d\ude00")") == "\xF0\x9F\x98\x80");
  CHECK(text_of(R"("\uD800\uDC00\uDBFF\uDFFF")") == "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  CHECK(text_of(R"("\ud83d")") == alone);
  CHECK(text_of(R"("\ude00x")") == alone + "x");
  CHECK(text_of(R"("\ud83dx")") == alone + "x");
  CHECK(text_of(R"("\ud83d\n")") == alone + "\n");
  CHECK(text_of(R"("\ud83d\u0041")") == alone + "A");
  CHECK(text_of(R"("\ud83d\ud83d\ude00")") == alone + "\xF0\x9F\x98\x80");
}

TEST_CASE("a JSON string is compared by what it stands for") {
  CHECK(JsonValue(R"("type")").equals("type"));
  CHECK(JsonValue(R"("t\u0079pe")").equals("type"));
  CHECK_FALSE(JsonValue(R"("typ")").equals("type"));
  CHECK_FALSE(JsonValue(R"("types")").equals("type"));
  CHECK_FALSE(JsonValue(R"("type\u0000")").equals("type"));
  CHECK(JsonValue(R"("")").equals(""));
  CHECK_FALSE(JsonValue("1").equals("1"));
}

TEST_CASE("an unsigned number is read up to its bound, and only if it is written with digits alone") {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  CHECK(JsonValue("0").to_unsigned(0) == 0U);
  CHECK(JsonValue("100").to_unsigned(100) == 100U);
  CHECK_FALSE(JsonValue("101").to_unsigned(100));
  CHECK(JsonValue("18446744073709551615").to_unsigned(max) == max);
  CHECK_FALSE(JsonValue("18446744073709551616").to_unsigned(max));
  for (const char* other : {"-1", "-0", "1.0", "1e2", "\"1\"", "null", "[1]", "true"})
    CHECK_FALSE(JsonValue(other).to_unsigned(max));
}

TEST_CASE("true and false are read, and nothing else as either") {
  CHECK(JsonValue("true").to_bool() == true);
  CHECK(JsonValue("false").to_bool() == false);
  for (const char* other : {"null", "0", "1", "\"true\"", "[]", "{}"})
    CHECK_FALSE(JsonValue(other).to_bool());
}

TEST_CASE("what is walked is what stands there, for any valid JSON; anything else is walked within its end") {
  std::mt19937 random(11);
  simdjson::dom::parser parser;
  const std::string seed = R"([{"a":[1,-2.5,3e4,true,false,null],"b\n":"\u00e4\\"},[],{},"x,]", 0 ,{"":{}}])";
  int valid = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    for (unsigned i = random() % 4; i > 0; --i) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text.erase(at, 1);
      } else {
        text.insert(at, 1, "[]{}\",:\\ 0e-u"[random() % 13]);
      }
    }
    std::string rebuilt;
    rebuild(JsonValue(std::string_view(text)), rebuilt);
    if (!roomcast::base::is_valid_json(text)) continue;
    ++valid;
    REQUIRE(roomcast::base::is_valid_json(rebuilt));
    auto expected = parser.parse(text);
    if (expected.error() != simdjson::SUCCESS) continue;
    const std::string expected_text = simdjson::minify(expected.value());
    const std::string rebuilt_text = simdjson::minify(parser.parse(rebuilt).value());
    REQUIRE(rebuilt_text == expected_text);
  }
  CHECK(valid > 1000);
}

}  // namespace json_reader_test

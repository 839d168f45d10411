#include "base/json.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

namespace json_test {

using roomcast::base::append_json_string;
using roomcast::base::is_valid_json;

namespace {

std::string json_string_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// Whether a full parser accepts `text`; it rejects more than the grammar does, so only acceptance is
/// conclusive.
bool parser_accepts(simdjson::dom::parser& parser, const std::string& text) {
  return parser.parse(text).error() == simdjson::SUCCESS;
}

}  // namespace

TEST_CASE("a JSON string is appended with its quotes after what is there") {
  std::string out = "x";
  append_json_string(out, "a");
  CHECK(out == "x\"a\"");
  CHECK(json_string_of("") == "\"\"");
}

TEST_CASE("quotes, backslashes and control characters are escaped in a JSON string") {
  CHECK(json_string_of("\"\\/") == R"("\"\\/")");
  CHECK(json_string_of("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(json_string_of(std::string_view("\0\x1f", 2)) == R"("\u0000\u001f")");
  CHECK(json_string_of("\x7F") == R"("\u007f")");
  CHECK(json_string_of("\xC2\x80\xC2\x9F\xC2\xA0") == "\"\\u0080\\u009f\xC2\xA0\"");
  CHECK(json_string_of("\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA") ==
        "\"\xE2\x80\xA7\\u2028\\u2029\xE2\x80\xAA\"");
}

TEST_CASE("well-formed UTF-8 of every length passes through a JSON string as it is") {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
  CHECK(json_string_of(text) == "\"" + text + "\"");
}

TEST_CASE("a character of a JSON string is written the same beside any other, and beside invalid UTF-8") {
  const auto inner = [](std::string_view text) {
    const std::string quoted = json_string_of(text);
    return quoted.substr(1, quoted.size() - 2);
  };
  const std::initializer_list<std::string_view> characters{"a",
                                                           "\"",
                                                           "\n",
                                                           "\x1F",
                                                           "\x7F",
                                                           "\xC2\x80",
                                                           "\xC2\x9F",
                                                           "\xC2\xA0",
                                                           "\xC3\xA4",
                                                           "\xE2\x80\xA7",
                                                           "\xE2\x80\xA8",
                                                           "\xE2\x80\xA9",
                                                           "\xE2\x80\xAA",
                                                           "\xE2\x82\xAC",
                                                           "\xF0\x9F\x98\x80",
                                                           "\xFF"};
  for (const std::string_view first : characters) {
    for (const std::string_view second : characters) {
      for (const std::string_view third : characters) {
        const std::string text = std::string(first).append(second).append(third);
        REQUIRE(inner(text) == inner(first) + inner(second) + inner(third));
      }
    }
  }
}

TEST_CASE("each byte that is not UTF-8 becomes U+FFFD in a JSON string") {
  const std::string replacement = "\xEF\xBF\xBD";
  CHECK(json_string_of("a\xFFz") == "\"a" + replacement + "z\"");
  CHECK(json_string_of("\x80") == "\"" + replacement + "\"");
  CHECK(json_string_of("\xC3") == "\"" + replacement + "\"");
  CHECK(json_string_of("\xE2\x82") == "\"" + replacement + replacement + "\"");
  CHECK(json_string_of("\xF0\x9F\x98") == "\"" + replacement + replacement + replacement + "\"");
  CHECK(json_string_of("\xC0\x80x") == "\"" + replacement + replacement + "x\"");
  CHECK(json_string_of("\xED\xA0\x80") == "\"" + replacement + replacement + replacement + "\"");
  CHECK(json_string_of("\xF4\x90\x80\x80") ==
        "\"" + replacement + replacement + replacement + replacement + "\"");
}

TEST_CASE("whatever bytes go in, a JSON string comes out valid and on one line") {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> byte(0, 255);
  std::uniform_int_distribution<std::size_t> length(0, 40);
  for (int round = 0; round < 5000; ++round) {
    std::string text(length(random), '\0');
    for (char& c : text)
      c = static_cast<char>(byte(random));
    const std::string out = json_string_of(text);
    REQUIRE(is_valid_json(out));
    REQUIRE(out.find('\n') == std::string::npos);
  }
}

TEST_CASE("one JSON value of every kind is valid, with space around it") {
  for (const std::string_view text :
       std::initializer_list<std::string_view>{"null",
                                               "true",
                                               "false",
                                               "0",
                                               "-0",
                                               "1",
                                               "-12.5e+10",
                                               "1E-2",
                                               "0.0",
                                               "\"\"",
                                               "\"a\\u00e4\\n\\/\"",
                                               "[]",
                                               "{}",
                                               "[ ]",
                                               "{ }",
                                               "[1,2]",
                                               "{\"a\":1}",
                                               " \t\r\n[ 1 , { \"a\" : [ null ] , \"b\" : {} } ] \t\r\n",
                                               "{\"a\":1,\"a\":2}",
                                               "[[],[[]],{\"\":[]}]"}) {
    CAPTURE(text);
    CHECK(is_valid_json(text));
  }
}

TEST_CASE("valid JSON that many parsers refuse is still valid") {
  CHECK(is_valid_json("123456789012345678901234567890"));
  CHECK(is_valid_json("-1e999"));
  CHECK(is_valid_json("\"\\ud800\""));
  CHECK(is_valid_json("\"\x7F\""));
}

TEST_CASE("what is not exactly one JSON value is refused") {
  for (const std::string_view text : std::initializer_list<std::string_view>{"",
                                                                             " ",
                                                                             "nul",
                                                                             "nulll",
                                                                             "True",
                                                                             "01",
                                                                             "-",
                                                                             "-a",
                                                                             "+1",
                                                                             ".5",
                                                                             "1.",
                                                                             "1e",
                                                                             "1e+",
                                                                             "1.e1",
                                                                             "0x1",
                                                                             "NaN",
                                                                             "Infinity",
                                                                             "\"",
                                                                             "\"\\\"",
                                                                             "\"\\x\"",
                                                                             "\"\\u12g4\"",
                                                                             "\"\\u12",
                                                                             "\"\\",
                                                                             "'a'",
                                                                             "[",
                                                                             "]",
                                                                             "[1",
                                                                             "[1,",
                                                                             "[1,]",
                                                                             "[,1]",
                                                                             "[1 2]",
                                                                             "[1}",
                                                                             "{",
                                                                             "}",
                                                                             "{1:2}",
                                                                             "{\"a\"}",
                                                                             "{\"a\":}",
                                                                             "{\"a\":1,}",
                                                                             "{\"a\":1",
                                                                             "{\"a\" 1}",
                                                                             "{,}",
                                                                             "{\"a\":1]",
                                                                             "{a:1}",
                                                                             "1 2",
                                                                             "[] []",
                                                                             "{}x",
                                                                             "null,",
                                                                             "// x\n1",
                                                                             "\xEF\xBB\xBF"
                                                                             "1",
                                                                             "\"a\nb\"",
                                                                             "\"a\tb\""}) {
    CAPTURE(text);
    CHECK_FALSE(is_valid_json(text));
  }
}

TEST_CASE("bytes that JSON does not allow are refused, also where no string is") {
  CHECK_FALSE(is_valid_json("\"\xFF\""));
  CHECK_FALSE(is_valid_json("\"\xED\xA0\x80\""));
  CHECK_FALSE(is_valid_json("\"\xE2\x82\""));
  CHECK_FALSE(is_valid_json(std::string_view("1\0", 2)));
  CHECK_FALSE(is_valid_json(std::string_view("\0", 1)));
  CHECK_FALSE(is_valid_json(std::string_view("\"\0\"", 3)));
  CHECK_FALSE(
      is_valid_json("\xC2\xA0"
                    "1"));
}

TEST_CASE("every beginning of a valid JSON text that is not a value itself is refused") {
  const std::string text = R"({"a":[true,-1.5e3,"x\u00e4"],"b":{}})";
  REQUIRE(is_valid_json(text));
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(is_valid_json(text.substr(0, size)));
}

TEST_CASE("JSON may be nested 1,024 deep and not one deeper") {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i)
      text += open;
    text += "1";
    for (std::size_t i = 0; i < depth; ++i)
      text += close;
    return text;
  };
  CHECK(is_valid_json(nested(1024, "[", "]")));
  CHECK_FALSE(is_valid_json(nested(1025, "[", "]")));
  CHECK(is_valid_json(nested(1024, "{\"a\":", "}")));
  CHECK_FALSE(is_valid_json(nested(1025, "{\"a\":", "}")));
  CHECK_FALSE(is_valid_json(nested(1'000'000, "[", "]")));
}

TEST_CASE("JSON is judged with the depth one asks for; an empty array is as deep as any") {
  using roomcast::base::judge_json;
  using Verdict = roomcast::base::JsonVerdict;
  CHECK(judge_json("1", 0) == Verdict::valid);
  CHECK(judge_json("[]", 0) == Verdict::too_deep);
  CHECK(judge_json(R"([{"a":[]}, 1])", 3) == Verdict::valid);
  CHECK(judge_json(R"([{"a":[]}, 1])", 2) == Verdict::too_deep);
  CHECK(judge_json(R"([[[x)", 2) == Verdict::too_deep);
  CHECK(judge_json(R"([x[[)", 2) == Verdict::broken);
  CHECK(judge_json(R"([[1]]x)", 2) == Verdict::broken);
  CHECK(judge_json("[\"\xFF\",[[]]]", 2) == Verdict::broken);
}

TEST_CASE("mutated JSON is judged as a full parser judges it, but for numbers and lone surrogates") {
  simdjson::dom::parser parser;
  std::mt19937 random(7);
  const std::string seed = R"([{"a":[1,-2.5,3e4,true,false,null],"b\n":"\u00e4\\"},[],{},"x", 0 ])";
  const std::string alphabet = "{}[]\",:\\0123456789eE+-.tfnrulsa \n\xC3\xA4";
  std::uniform_int_distribution<std::size_t> place(0, seed.size() - 1);
  std::uniform_int_distribution<std::size_t> letter(0, alphabet.size() - 1);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (int change = 0; change <= round % 3; ++change)
      text[place(random)] = alphabet[letter(random)];
    const bool expected = parser_accepts(parser, text);
    const bool actual = is_valid_json(text);
    CAPTURE(text);
    if (expected) REQUIRE(actual);
    // The only escape of the seed is not a surrogate, and its numbers stay small unless an exponent grows.
    if (!expected && text.find_first_of("eE") == std::string::npos) REQUIRE_FALSE(actual);
    accepted += actual ? 1 : 0;
  }
  CHECK(accepted > 1000);
}

}  // namespace json_test

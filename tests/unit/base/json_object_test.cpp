#include "base/json_object.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace json_object_test {

using namespace roomcast::base;

namespace {

/// What is wrong with `text`; empty: nothing.
std::string refused(std::string_view text) {
  const auto object = read_json_object(text);
  return object ? "" : object.error().message;
}

/// The members of `text`, the values as they were written, each with a semicolon behind it.
std::string members_of(std::string_view text) {
  const auto object = read_json_object(text);
  if (!object) return object.error().message;
  std::string out;
  for (const auto& [name, value] : object->members)
    out.append(name).append("=").append(value.raw()).append(";");
  return out;
}

std::string nested(std::size_t depth) {
  return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

}  // namespace

TEST_CASE("json object: its members are read in order, those of others are within their values") {
  CHECK(members_of("{}").empty());
  CHECK(members_of(R"({"a":1,"b":"x","c":null,"d":true,"e":-0.5e1})") ==
        R"(a=1;b="x";c=null;d=true;e=-0.5e1;)");
  CHECK(members_of(R"({"a":[],"b":{},"c":[{"a":[1,{"b":2}]},3],"d":{"a":{"a":[]}},"e":5})") ==
        R"(a=[];b={};c=[{"a":[1,{"b":2}]},3];d={"a":{"a":[]}};e=5;)");
  CHECK(members_of(" { \"a\" : [ 1 , 2 ] , \"b\" : 3 , \"\\u0063\" : { } } ") == "a=[ 1 , 2 ];b=3;c={ };");
}

TEST_CASE("json object: a member is found by its name, however it is escaped") {
  const auto object = read_json_object(R"({"a":1,"b\u0063":{"d":2}})");
  REQUIRE(object.ok());
  REQUIRE(object->find("bc").has_value());
  CHECK(object->find("bc")->raw() == R"({"d":2})");
  CHECK_FALSE(object->find("d").has_value());
}

TEST_CASE("json object: other texts are refused") {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "}",
                                      "{}{}",
                                      "{} x",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[1}",
                                      "{\"a\":{\"b\":1]}",
                                      "{\"a\":01}",
                                      "{\"a\":\"\n\"}",
                                      "{a:1}",
                                      "[1",
                                      "nul",
                                      "{\"a\":1"}) {
    CAPTURE(text);
    CHECK(refused(text) == "is not JSON");
  }
  for (const std::string_view text : {"[]", "null", "7", "\"{}\"", R"([{"a":1}])", "[[1],2]"}) {
    CAPTURE(text);
    CHECK(refused(text) == "is not a JSON object");
  }
  CHECK(refused("{\"a\":\"\xFF\"}") == "is not UTF-8");
  CHECK(refused("{\"a\":1" + std::string(5000, '0') + "}") == "is not JSON");
}

TEST_CASE("json object: no member is there twice at any depth, whichever way it is written") {
  for (const std::string_view text :
       {R"({"a":1,"a":1})", R"({"sub":"ada","s\u0075b":"root"})", R"({"s\u0075b":"ada","\u0073ub":"root"})",
        R"({"a":{"b":1},"b":1,"a":2})", R"({"x":[{"may":1,"may":2}]})", R"({"x":{"y":{"z":1,"q":2,"z":3}}})",
        R"({"a":[[{"":1,"":2}]],"b":1})"}) {
    CAPTURE(text);
    CHECK(refused(text) == "has a member twice");
  }
  CHECK(refused(R"({"a":{"b":1},"b":{"a":1},"c":[{"a":1},{"a":1}]})").empty());
  CHECK(refused(R"({"a":1,"A":2,"aa":3,"":4})").empty());
  std::string many = "{\"n\":0";
  for (int i = 0; i < 5'000; ++i)
    many += ",\"n" + std::to_string(i) + "\":{\"n\":0}";
  CHECK(refused(many + "}").empty());
  CHECK(refused(many + ",\"n77\":0}") == "has a member twice");
}

TEST_CASE("json object: it is nested at most 32 deep") {
  CHECK(refused(nested(31)).empty());
  CHECK(refused(nested(32)) == "is nested deeper than 32");
  CHECK(refused(nested(1000)) == "is nested deeper than 32");
}

TEST_CASE("json object: no escape stands for half of a surrogate pair") {
  for (const std::string_view text :
       {R"({"a":"\ud800"})", R"({"\udc00":1})", R"({"a":[{"b":"\ud800\u0041"}]})"})
    CHECK(refused(text) == "has half of a surrogate pair in a string");
  CHECK(refused(R"({"a":"\ud83d\ude00"})").empty());
}

}  // namespace json_object_test

#include "config/toml_document.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace toml_document_test {

using namespace roomcast::config;

namespace {

/// "key = value @line:column" for every entry, or the error as "line: message".
std::vector<std::string> entries_of(std::string_view text) {
  const auto entries = read_toml(text);
  if (!entries) return {std::to_string(entries.error().line) + ": " + entries.error().message};
  std::vector<std::string> out;
  for (const TomlEntry& entry : *entries) {
    out.push_back(entry.key + " = " + describe(entry.value) + " @" + std::to_string(entry.line) + ":" +
                  std::to_string(entry.column));
  }
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("values are listed in the order of the text with dotted keys, line and column") {
  CHECK(entries_of("a = 1\n"
                   "b.c = \"x\" # comment\n"
                   "[d]\n"
                   "e = 2.5\n"
                   "  f = true\n"
                   "g = { h = [\"i\", \"j\"] }\n") == Lines{"a = 1 @1:5", "b.c = \"x\" @2:7",
                                                            "d.e = 2.5 @4:5", "d.f = true @5:7",
                                                            "d.g.h = an array @6:11"});
}

TEST_CASE("an empty text has no entries, an empty table is one") {
  CHECK(entries_of("").empty());
  CHECK(entries_of("# nothing\n\n").empty());
  CHECK(entries_of("\n[a]\n") == Lines{"a = a table @2:1"});
}

TEST_CASE("line ends of Windows, a byte order mark and a missing last line end are read") {
  CHECK(entries_of("\xEF\xBB\xBF"
                   "a = 1\r\nb = 2")
            .size() == 2);
}

TEST_CASE("arrays of texts and of tables are read whole") {
  const auto entries = read_toml("a = [\n  \"x\",\n  'y',\n]\n[[t]]\nk = \"1\"\n[[t]]\nk = \"2\"\n");
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 2);
  CHECK(std::get<std::vector<std::string>>((*entries)[0].value) == std::vector<std::string>{"x", "y"});
  const auto& tables = std::get<std::vector<Table>>((*entries)[1].value);
  REQUIRE(tables.size() == 2);
  REQUIRE(tables[1].items.size() == 1);
  CHECK(tables[1].items[0].key == "k");
  CHECK(describe(to_value(tables[1].items[0].value)) == "\"2\"");
  CHECK(tables[1].items[0].place.line == 8);
  CHECK(tables[1].items[0].place.column == 5);
}

TEST_CASE("what no setting can be is named") {
  CHECK(entries_of("a = 2026-01-01") == Lines{"a = a date or time @1:5"});
  CHECK(entries_of("a = 10:00:00") == Lines{"a = a date or time @1:5"});
  CHECK(entries_of("a = [1, 2]") == Lines{"a = an array with a number in it @1:5"});
  CHECK(entries_of("a = [[\"b\"]]") == Lines{"a = an array with an array in it @1:5"});
  CHECK(entries_of("a = [true]") == Lines{"a = an array with true or false in it @1:5"});
}

TEST_CASE("a text that is not TOML is refused with the line and without the parser's own names") {
  for (const std::string_view line : {"x", "b = = 2", "b = \"abc", "b = 01", "[a", "b = [1,", "b = \"\\q\"",
                                      "a = 2", "b = \x01", "b = \"\xFF\""}) {
    CAPTURE(line);
    const auto result = read_toml("a = 1\n\n" + std::string(line) + "\n");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().line >= 3);
    CHECK(result.error().line <= 4);
    CHECK(result.error().message.find('\n') == std::string::npos);
    CHECK(result.error().message.find("toml::") == std::string::npos);
    CHECK(result.error().message.find("[error]") == std::string::npos);
    CHECK_FALSE(result.error().message.empty());
  }
}

TEST_CASE("a text that is not UTF-8 is refused with the line") {
  CHECK(entries_of("a = 1\nb = '\xF9\xFF'\n") == Lines{"2: the text is not UTF-8"});
  CHECK(entries_of("# \xE2\x82\n\xAC") == Lines{"1: the text is not UTF-8"});
  CHECK(entries_of("# \xE2\x82\xAC\n\n# \xE2\x82") == Lines{"3: the text is not UTF-8"});
}

TEST_CASE("brackets may be nested 100 deep and not one deeper") {
  const auto nested = [](std::size_t depth) {
    return "a = " + std::string(depth, '[') + std::string(depth, ']') + "\n";
  };
  CHECK(entries_of(nested(100)) == Lines{"a = an array with an array in it @1:5"});
  CHECK(entries_of(nested(101)) == Lines{"0: brackets are nested more than 100 deep"});
  CHECK(entries_of("a = " + std::string(100'000, '[')) == Lines{"0: brackets are nested more than 100 deep"});
}

}  // namespace toml_document_test

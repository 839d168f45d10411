#include "base/log_line.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/text.h"

namespace log_line_test {

using namespace roomcast::base;

namespace {

std::string text_line(LogFields fields) {
  std::string out;
  append_text_line(out, LogLevel::info, "m", fields);
  return out;
}

std::string json_line(LogFields fields) {
  std::string out = "{";
  append_json_members(out, LogLevel::info, "m", fields);
  return out + '}';
}

/// The output of one call, without the time.
std::string logged(LogFormat format, std::string_view message, LogFields fields) {
  std::string out;
  if (format == LogFormat::json) {
    append_json_members(out, LogLevel::info, message, fields);
    out += '}';
  } else {
    append_text_line(out, LogLevel::info, message, fields);
  }
  return out + '\n';
}

}  // namespace

TEST_CASE("a text line has level, message and fields") {
  CHECK(logged(LogFormat::text, "listening", {{"url", "http://127.0.0.1:8080"}, {"backlog", 511}}) ==
        "info  listening url=http://127.0.0.1:8080 backlog=511\n");
  CHECK(logged(LogFormat::text, "no fields", {}) == "info  no fields\n");
}

TEST_CASE("a JSON line has level, message and fields") {
  CHECK(logged(LogFormat::json, "listening", {{"url", "a b"}, {"backlog", 511}, {"tls", false}}) ==
        "\"level\":\"info\",\"message\":\"listening\",\"url\":\"a b\",\"backlog\":511,\"tls\":false}\n");
}

TEST_CASE("fields of every type are written in both formats") {
  const std::string word = "word";
  const LogFields fields = {{"i", std::int64_t{-5}},
                            {"u", std::numeric_limits<std::uint64_t>::max()},
                            {"d", 0.25},
                            {"b", true},
                            {"s", word},
                            {"v", std::string_view("two words")}};
  CHECK(logged(LogFormat::text, "m", fields) ==
        "info  m i=-5 u=18446744073709551615 d=0.25 b=true s=word v=\"two words\"\n");
  CHECK(logged(LogFormat::json, "m", fields) ==
        "\"level\":\"info\",\"message\":\"m\",\"i\":-5,\"u\":18446744073709551615,\"d\":0.25,\"b\":true,"
        "\"s\":\"word\",\"v\":\"two words\"}\n");
}

TEST_CASE("a value is quoted when it could be mistaken for something else") {
  CHECK(logged(LogFormat::text, "m", {{"a", ""}, {"b", "x=y"}, {"c", "say \"hi\""}, {"d", "c:\\"}}) ==
        "info  m a=\"\" b=\"x=y\" c=\"say \\\"hi\\\"\" d=\"c:\\\\\"\n");
}

TEST_CASE("whatever comes from outside stays on one line") {
  constexpr char raw[] = "a\n2026-01-01T00:00:00.000Z error forged\r\x1b[2J\0\xC2\x9B\xE2\x80\xA8\xFF";
  const std::string_view evil(raw, sizeof raw - 1);
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const std::string line = logged(format, evil, {{"key\n", evil}});
    CAPTURE(line);
    CHECK(line.find('\n') == line.size() - 1);
    for (const char c : std::string_view(line).substr(0, line.size() - 1)) {
      CHECK(static_cast<unsigned char>(c) >= 0x20);
      CHECK(c != '\x7F');
    }
    CHECK(line.find("\xC2\x9B") == std::string::npos);
    CHECK(line.find("\xE2\x80\xA8") == std::string::npos);
    CHECK(line.find('\xFF') == std::string::npos);
    CHECK(line.find("\\n") != std::string::npos);
  }
  const std::string json = logged(LogFormat::json, evil, {{"key\n", evil}});
  CHECK(is_valid_json("{" + json));
}

TEST_CASE("numbers that JSON cannot represent are null in JSON") {
  CHECK(logged(LogFormat::json, "m", {{"d", std::numeric_limits<double>::quiet_NaN()}}) ==
        "\"level\":\"info\",\"message\":\"m\",\"d\":null}\n");
  CHECK(logged(LogFormat::text, "m", {{"d", std::numeric_limits<double>::infinity()}}) == "info  m d=inf\n");
}

TEST_CASE("percent signs and braces are just text") {
  CHECK(logged(LogFormat::text, "{} %v %s", {{"v", "{0}%Y"}}) == "info  {} %v %s v={0}%Y\n");
}

TEST_CASE("text of 200 bytes is shown whole, of 201 with a mark of what was cut") {
  const std::string most(200, 'x');
  CHECK(text_line({{"v", most}}) == "info  m v=" + most);
  CHECK(text_line({{"v", most + "y"}}) == "info  m v=\"" + most + "...(1 bytes cut)\"");
  CHECK(text_line({{"v", std::string(16'384, 'x')}}) == "info  m v=\"" + most + "...(16184 bytes cut)\"");
  CHECK(json_line({{"v", most + "yz"}}) ==
        "{\"level\":\"info\",\"message\":\"m\",\"v\":\"" + most + "...(2 bytes cut)\"}");
}

TEST_CASE("text is cut between UTF-8 characters") {
  for (const std::string_view character : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x8E\x88"}) {
    for (std::size_t before = 0; before < character.size(); ++before) {
      std::string value(before, 'x');
      while (value.size() < 400)
        value += character;
      const std::string line = text_line({{"v", value}});
      CAPTURE(line);
      CHECK(is_valid_utf8(line));
      CHECK(line.find("\xEF\xBF\xBD") == std::string::npos);
      const std::size_t shown = line.find("...(") - line.find('"') - 1;
      CHECK(shown <= 200);
      CHECK(shown > 200 - character.size());
      CHECK(line.ends_with("...(" + std::to_string(value.size() - shown) + " bytes cut)\""));
    }
  }
}

TEST_CASE("bytes that are no UTF-8 are cut all the same") {
  CHECK(json_line({{"v", std::string(1'000, '\x80')}}).find("bytes cut)") != std::string::npos);
  CHECK(text_line({{"v", std::string(1'000, '\xFF')}}).size() < 700);
}

TEST_CASE("what is to be whole is not cut before 16 KiB") {
  const std::string urls(16'384, 'u');
  CHECK(text_line({LogField::whole("listen", urls)}) == "info  m listen=" + urls);
  CHECK(text_line({LogField::whole("listen", urls + "u")}).ends_with("...(1 bytes cut)\""));
}

TEST_CASE("a line of client texts is at most 4 KiB, whatever they are, and valid JSON") {
  for (const std::string_view unit : {"x", "\x01", "\"", "\xFF", "\xC2\x80", "\xE2\x80\xA8"}) {
    std::string evil;
    while (evil.size() < 16'384)
      evil += unit;
    const LogFields fields = {{"peer", evil}, {"origin", evil}, {"path", evil}, {"reason", evil},
                              {"f5", evil},   {"f6", evil},     {"f7", evil},   {"f8", evil},
                              {"f9", evil},   {"f10", evil},    {"f11", evil},  {"f12", evil}};
    std::string json = "{";
    append_json_members(json, LogLevel::info, evil, fields);
    json += '}';
    CHECK(json.size() <= log_line_bytes_max);
    CHECK(json.find("f12") != std::string::npos);
    CHECK(is_valid_json(json));
    std::string text;
    append_text_line(text, LogLevel::info, evil, fields);
    CHECK(text.size() <= log_line_bytes_max);
    CHECK(text.find("f12") != std::string::npos);
  }
}

TEST_CASE("a field without a value is left out if it is only wanted with one") {
  CHECK(text_line({LogField::if_any("room", ""), LogField::if_any("name", "ada"), {"empty", ""}}) ==
        "info  m name=ada empty=\"\"");
  CHECK(json_line({LogField::if_any("room", "")}) == "{\"level\":\"info\",\"message\":\"m\"}");
}

}  // namespace log_line_test

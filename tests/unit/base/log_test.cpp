#include "base/log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "base/json.h"
#include "support/fake_scheduler.h"

using namespace roomcast::base;

namespace {

/// Standard error goes into a file for as long as this lives.
class CapturedStderr {
 public:
  CapturedStderr() : file_(std::tmpfile()), saved_(dup(STDERR_FILENO)) { dup2(fileno(file_), STDERR_FILENO); }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  ~CapturedStderr() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    std::fclose(file_);
  }

  std::string text() {
    std::string out(static_cast<std::size_t>(lseek(fileno(file_), 0, SEEK_END)), '\0');
    const auto got = pread(fileno(file_), out.data(), out.size(), 0);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }

 private:
  std::FILE* file_;
  int saved_;
};

/// Whether `text` begins with `shape`, in which the letter d stands for any digit.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

/// What is written for one call, without the time, which every line must begin with.
std::string logged(LogFormat format, std::string_view message, Log::Fields fields) {
  CapturedStderr captured;
  Log log(LogLevel::trace, format);
  log.write(LogLevel::info, message, fields);
  const std::string text = captured.text();
  const std::string shape =
      format == LogFormat::json ? R"({"time":"dddd-dd-ddTdd:dd:dd.dddZ",)" : "dddd-dd-ddTdd:dd:dd.dddZ ";
  if (!has_shape(text, shape)) return "no time at the front: " + text;
  return text.substr(shape.size());
}

}  // namespace

TEST_CASE("a text line has time, level, message and fields") {
  CHECK(logged(LogFormat::text, "listening", {{"url", "http://127.0.0.1:8080"}, {"backlog", 511}}) ==
        "info  listening url=http://127.0.0.1:8080 backlog=511\n");
  CHECK(logged(LogFormat::text, "no fields", {}) == "info  no fields\n");
}

TEST_CASE("a JSON line is one object with time, level, message and fields") {
  CHECK(logged(LogFormat::json, "listening", {{"url", "a b"}, {"backlog", 511}, {"tls", false}}) ==
        "\"level\":\"info\",\"message\":\"listening\",\"url\":\"a b\",\"backlog\":511,\"tls\":false}\n");
}

TEST_CASE("fields of every type are written in both formats") {
  const std::string word = "word";
  const Log::Fields fields = {{"i", std::int64_t{-5}},
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

TEST_CASE("numbers that JSON has no word for are null in JSON") {
  CHECK(logged(LogFormat::json, "m", {{"d", std::numeric_limits<double>::quiet_NaN()}}) ==
        "\"level\":\"info\",\"message\":\"m\",\"d\":null}\n");
  CHECK(logged(LogFormat::text, "m", {{"d", std::numeric_limits<double>::infinity()}}) == "info  m d=inf\n");
}

TEST_CASE("lines below the level are not written, lines at it are") {
  const LogLevel levels[] = {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warn,
                             LogLevel::error};
  for (const LogLevel threshold : levels) {
    CapturedStderr captured;
    Log log(threshold, LogFormat::text);
    for (const LogLevel level : levels) {
      const auto before = captured.text().size();
      log.write(level, "m", {});
      CHECK((captured.text().size() > before) == (level >= threshold));
      CHECK(log.enabled(level) == (level >= threshold));
    }
  }
}

TEST_CASE("level and format can be changed while running, and each level has its name") {
  CapturedStderr captured;
  Log log(LogLevel::error, LogFormat::text);
  log.warn("not written");
  log.set_level(LogLevel::debug);
  log.debug("one");
  log.set_format(LogFormat::json);
  log.info("two");
  log.warn("three");
  log.set_format(LogFormat::text);
  log.error("four");
  const std::string text = captured.text();
  CHECK(text.find("not written") == std::string::npos);
  CHECK(text.find("Z debug one\n") != std::string::npos);
  CHECK(text.find("\"level\":\"info\",\"message\":\"two\"}\n") != std::string::npos);
  CHECK(text.find("\"level\":\"warn\",\"message\":\"three\"}\n") != std::string::npos);
  CHECK(text.find("Z error four\n") != std::string::npos);
}

TEST_CASE("percent signs and braces are just text") {
  CHECK(logged(LogFormat::text, "{} %v %s", {{"v", "{0}%Y"}}) == "info  {} %v %s v={0}%Y\n");
}

TEST_CASE("a standard error that is gone loses the line and nothing else") {
  CapturedStderr captured;
  Log log(LogLevel::info, LogFormat::text);
  close(STDERR_FILENO);
  log.info("lost");
  CHECK(captured.text().empty());
}

TEST_CASE("once a turn: lines leave together, in their order, at the turn's end") {
  CapturedStderr captured;
  Log log(LogLevel::info, LogFormat::text);
  roomcast::test::FakeScheduler turn;
  log.write_once_a_turn(turn);
  log.info("one");
  log.info("two");
  CHECK(captured.text().empty());
  turn.flush();
  const std::string text = captured.text();
  CHECK(text.find("info  one\n") < text.find("info  two\n"));
  CHECK(text.find("info  two\n") != std::string::npos);
  log.info("three");
  CHECK(captured.text() == text);
  turn.flush();
  CHECK(captured.text().find("three") != std::string::npos);
}

TEST_CASE("once a turn: warnings and errors do not wait, nor what came before them") {
  for (const LogLevel level : {LogLevel::warn, LogLevel::error}) {
    CapturedStderr captured;
    Log log(LogLevel::info, LogFormat::text);
    roomcast::test::FakeScheduler turn;
    log.write_once_a_turn(turn);
    log.info("before");
    log.write(level, "serious", {});
    const std::string text = captured.text();
    CHECK(text.find("before") < text.find("serious"));
    CHECK(text.find("serious") != std::string::npos);
    log.write_at_once();
  }
}

TEST_CASE("once a turn: no more than some 64 KiB wait") {
  CapturedStderr captured;
  Log log(LogLevel::info, LogFormat::text);
  roomcast::test::FakeScheduler turn;
  log.write_once_a_turn(turn);
  const std::string line(10'000, 'x');
  for (int i = 0; i < 6; ++i)
    log.info(line);
  CHECK(captured.text().empty());
  log.info(line);
  CHECK(captured.text().size() > 65'536);
  log.write_at_once();
}

TEST_CASE("once a turn: back to writing at once, what waits is written and no turn is needed any more") {
  CapturedStderr captured;
  Log log(LogLevel::info, LogFormat::text);
  {
    roomcast::test::FakeScheduler turn;
    log.write_once_a_turn(turn);
    log.info("waiting");
    log.write_at_once();
    CHECK(captured.text().find("waiting") != std::string::npos);
  }
  log.info("at once");
  CHECK(captured.text().find("at once") != std::string::npos);
}

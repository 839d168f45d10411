#include "base/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "support/captured_stderr.h"
#include "support/fake_clock.h"
#include "support/fake_scheduler.h"

namespace log_test {

using namespace roomcast::base;

using roomcast::test::CapturedStderr;

namespace {

/// Redirects standard error to a pipe.
class PipedStderr {
 public:
  PipedStderr() : saved_(dup(STDERR_FILENO)) {
    REQUIRE(pipe(ends_.data()) == 0);
    dup2(ends_[1], STDERR_FILENO);
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  PipedStderr(const PipedStderr&) = delete;
  PipedStderr& operator=(const PipedStderr&) = delete;
  ~PipedStderr() {
    dup2(saved_, STDERR_FILENO);
    for (const int fd : {saved_, ends_[0], ends_[1]})
      close(fd);
  }

  /// Reads everything that is in the pipe.
  [[nodiscard]] std::string drain() const {
    std::string out;
    std::array<char, 65'536> bytes;
    for (;;) {
      const ssize_t got = read(ends_[0], bytes.data(), bytes.size());
      if (got <= 0) return out;
      out.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int saved_;
  std::array<int, 2> ends_{};
};

/// What a running server passes to its log.
struct Running {
  roomcast::test::FakeClock clock;
  Deadlines deadlines{clock, 50};
  roomcast::test::FakeScheduler turn;

  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
  }
};

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

/// Whether `text` begins with `shape`, in which d stands for any digit.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a line begins with the time, and ends with a line break") {
  CapturedStderr captured;
  Log log(LogLevel::info, LogFormat::text);
  log.info("listening", {{"url", "http://127.0.0.1:8080"}, {"backlog", 511}});
  std::string text = captured.text();
  CHECK(has_shape(text, "dddd-dd-ddTdd:dd:dd.dddZ info  listening "));
  CHECK(text.ends_with("Z info  listening url=http://127.0.0.1:8080 backlog=511\n"));

  log.set_format(LogFormat::json);
  log.info("{} %v %s", {{"v", "{0}%Y"}});
  text = captured.text().substr(text.size());
  CHECK(has_shape(text, R"({"time":"dddd-dd-ddTdd:dd:dd.dddZ",)"));
  CHECK(text.ends_with(R"(Z","level":"info","message":"{} %v %s","v":"{0}%Y"})"
                       "\n"));
  CHECK(is_valid_json(text));
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
  Running running;
  log.write_once_a_turn(running.turn, running.deadlines);
  log.info("one");
  log.info("two");
  CHECK(captured.text().empty());
  running.turn.flush();
  const std::string text = captured.text();
  CHECK(text.find("info  one\n") < text.find("info  two\n"));
  CHECK(text.find("info  two\n") != std::string::npos);
  log.info("three");
  CHECK(captured.text() == text);
  running.turn.flush();
  CHECK(captured.text().find("three") != std::string::npos);
  log.write_at_once();
}

TEST_CASE("once a turn: warnings and errors do not wait, nor what came before them") {
  for (const LogLevel level : {LogLevel::warn, LogLevel::error}) {
    CapturedStderr captured;
    Log log(LogLevel::info, LogFormat::text);
    Running running;
    log.write_once_a_turn(running.turn, running.deadlines);
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
  Running running;
  log.write_once_a_turn(running.turn, running.deadlines);
  const std::string text(10'000, 'x');
  for (int i = 0; i < 6; ++i)
    log.info("line", {LogField::whole("text", text)});
  CHECK(captured.text().empty());
  log.info("line", {LogField::whole("text", text)});
  CHECK(captured.text().size() > 65'536);
  log.write_at_once();
}

TEST_CASE("once a turn: back to writing at once, what waits is written and no turn is needed any more") {
  CapturedStderr captured;
  Log log(LogLevel::info, LogFormat::text);
  {
    Running running;
    log.write_once_a_turn(running.turn, running.deadlines);
    log.info("waiting");
    log.write_at_once();
    CHECK(captured.text().find("waiting") != std::string::npos);
  }
  log.info("at once");
  CHECK(captured.text().find("at once") != std::string::npos);
}

TEST_CASE("a pipe that is not read: the log drops lines past 1 MiB, and reports how many once it is read") {
  const PipedStderr piped;
  Running running;
  Log log(LogLevel::info, LogFormat::text);
  log.write_once_a_turn(running.turn, running.deadlines);
  constexpr std::size_t lines = 20'000;
  for (std::size_t i = 0; i < lines; ++i)
    log.warn("number", {{"n", i}, {"text", std::string(100, 'x')}});
  const std::uint64_t dropped = log.dropped();
  CHECK(dropped > 0);

  // The pipe is read again: queued lines are written without a new one.
  std::string text;
  for (std::string more = piped.drain(); !more.empty(); more = piped.drain()) {
    text += more;
    running.pass(100);
  }
  CHECK(text.size() > Log::waiting_bytes_max);
  CHECK(text.size() < Log::waiting_bytes_max + 131'072);
  CHECK(count_of(text, "\n") == lines - dropped + 1);
  CHECK(text.ends_with("Z warn  log lines dropped count=" + std::to_string(dropped) + "\n"));
  CHECK(text.find(" n=" + std::to_string(lines - dropped - 1) + " ") != std::string::npos);

  log.info("later");
  running.turn.flush();
  CHECK(has_shape(piped.drain(), "dddd-dd-ddTdd:dd:dd.dddZ info  later"));
  CHECK(log.dropped() == dropped);
  log.write_at_once();
}

TEST_CASE("lines of one message past the limit are counted, and reported when the second is over") {
  const PipedStderr piped;
  Running running;
  Log log(LogLevel::info, LogFormat::text);
  log.set_lines_per_second(100);
  log.write_once_a_turn(running.turn, running.deadlines);
  for (int i = 0; i < 250; ++i)
    log.warn("refused", {{"n", i}});
  log.info("ready");
  running.turn.flush();
  std::string text = piped.drain();
  CHECK(count_of(text, "warn  refused ") == 100);
  CHECK(count_of(text, "info  ready\n") == 1);
  CHECK(text.find("suppressed") == std::string::npos);
  running.pass(900);
  CHECK(piped.drain().empty());
  running.pass(100);
  text = piped.drain();
  CHECK(text.ends_with("Z warn  log lines suppressed cause=refused count=150 limit=log.lines_per_second\n"));
  CHECK(count_of(text, "\n") == 1);
  running.pass(5'000);
  CHECK(piped.drain().empty());
  log.write_at_once();
}

TEST_CASE("suppressed lines are reported before the next line of their kind, and at the end") {
  const PipedStderr piped;
  Running running;
  {
    Log log(LogLevel::info, LogFormat::text);
    log.set_lines_per_second(1);
    log.write_once_a_turn(running.turn, running.deadlines);
    for (int i = 0; i < 3; ++i)
      log.warn("refused");
    running.clock.advance(1'000);
    for (int i = 0; i < 5; ++i)
      log.warn("refused");
    std::string text = piped.drain();
    CHECK(count_of(text, "\n") == 3);
    CHECK(text.find("count=2 ") < text.rfind("warn  refused\n"));
    log.write_at_once();
  }
  CHECK(piped.drain().find("cause=refused count=4 ") != std::string::npos);
}

TEST_CASE("what is recorded is written however many lines there are, unless the level is above") {
  const PipedStderr piped;
  Running running;
  Log log(LogLevel::info, LogFormat::text);
  log.set_lines_per_second(1);
  log.write_once_a_turn(running.turn, running.deadlines);
  for (int i = 0; i < 250; ++i)
    log.record("audit", {{"n", i}});
  running.turn.flush();
  CHECK(count_of(piped.drain(), "info  audit ") == 250);
  log.set_level(LogLevel::warn);
  log.record("audit", {});
  running.turn.flush();
  CHECK(piped.drain().empty());
  log.write_at_once();
}

TEST_CASE("no limit: every line is written") {
  const PipedStderr piped;
  Running running;
  Log log(LogLevel::info, LogFormat::text);
  log.set_lines_per_second(0);
  log.write_once_a_turn(running.turn, running.deadlines);
  for (int i = 0; i < 1'000; ++i)
    log.info("line");
  running.turn.flush();
  CHECK(count_of(piped.drain(), "info  line\n") == 1'000);
  log.write_at_once();
}

TEST_CASE("the end of the log waits a little for a reader and then gives up") {
  const PipedStderr piped;
  {
    Log log(LogLevel::info, LogFormat::text);
    for (int i = 0; i < 5'000; ++i)
      log.info("line", {{"text", std::string(100, 'x')}});
  }
  CHECK(piped.drain().size() >= 4'096);
}

TEST_CASE("to the journal a line goes with its priority, and as text without the time") {
  CapturedStderr captured;
  struct stat status {};
  REQUIRE(fstat(STDERR_FILENO, &status) == 0);
  const std::string stream = std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino);
  setenv("JOURNAL_STREAM", stream.c_str(), 1);
  Log log(LogLevel::trace, LogFormat::text);
  unsetenv("JOURNAL_STREAM");
  log.debug("m");
  log.info("m", {{"n", 1}});
  log.warn("m");
  log.error("m");
  CHECK(captured.text() == "<7>debug m\n<6>info  m n=1\n<4>warn  m\n<3>error m\n");
  log.set_format(LogFormat::json);
  log.warn("m");
  const std::string text = captured.text();
  const std::string last = text.substr(text.find("<4>{"));
  CHECK(has_shape(last, R"(<4>{"time":"dddd-dd-ddTdd:dd:dd.dddZ",)"));
  CHECK(is_valid_json(last.substr(3, last.size() - 4)));
}

}  // namespace log_test

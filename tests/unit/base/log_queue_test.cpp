#include "base/log_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace log_queue_test {

using namespace roomcast::base;

namespace {

/// An output that takes as many bytes as the test allows.
class FakeOutput final : public LogOutput {
 public:
  [[nodiscard]] std::optional<std::size_t> write(std::string_view bytes) override {
    ++calls;
    if (broken) return std::nullopt;
    const std::size_t taken = std::min(bytes.size(), room);
    room -= taken;
    written += bytes.substr(0, taken);
    return taken;
  }
  bool wait(int ms) override {
    waited_ms = std::max(waited_ms, ms);
    room += per_wait;
    return per_wait > 0;
  }

  std::size_t room = 0;
  std::size_t per_wait = 0;
  bool broken = false;
  int calls = 0;
  int waited_ms = 0;
  std::string written;
};

constexpr std::size_t plenty = 1'000'000;

struct Fixture {
  FakeOutput output;
  LogQueue queue{output, 100};

  /// Lines of ten bytes, numbered with three digits.
  void add(int from, int to) {
    for (int i = from; i < to; ++i)
      queue.add("line " + std::to_string(1'000 + i) + "\n");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "log queue: lines leave in order, in whatever pieces they are taken") {
  add(0, 5);
  for (int i = 0; i < 50; ++i) {
    output.room = 1;
    queue.write_out();
  }
  CHECK(output.written == "line 1000\nline 1001\nline 1002\nline 1003\nline 1004\n");
  CHECK(queue.bytes() == 0);
  CHECK(queue.dropped() == 0);
}

TEST_CASE_FIXTURE(Fixture, "log queue: no more than its bytes wait; the newest are dropped and counted") {
  add(0, 13);
  CHECK(queue.bytes() == 100);
  CHECK(queue.dropped() == 3);
  CHECK(queue.unreported() == 0);
  output.room = plenty;
  queue.write_out();
  CHECK(output.written.ends_with("line 1009\n"));
  CHECK(queue.unreported() == 3);
}

TEST_CASE_FIXTURE(Fixture, "log queue: after a drop it takes lines again when half of its room is free") {
  add(0, 11);
  output.room = 40;
  queue.write_out();
  add(11, 12);
  CHECK(queue.dropped() == 2);
  CHECK(queue.unreported() == 0);
  output.room = 10;
  queue.write_out();
  CHECK(queue.unreported() == 2);
  queue.add_notice("lost 2\n", 2);
  CHECK(queue.unreported() == 0);
  add(12, 13);
  output.room = plenty;
  queue.write_out();
  CHECK(output.written.ends_with("line 1009\nlost 2\nline 1012\n"));
  CHECK(queue.dropped() == 2);
}

TEST_CASE_FIXTURE(Fixture, "log queue: a line as large as the room fits, a larger one does not") {
  queue.add(std::string(99, 'x') + "\n");
  CHECK(queue.dropped() == 0);
  output.room = plenty;
  queue.write_out();
  queue.add(std::string(100, 'x') + "\n");
  CHECK(queue.dropped() == 1);
}

TEST_CASE_FIXTURE(Fixture, "log queue: an output that fails loses what waits, asked once, and no more") {
  add(0, 3);
  output.broken = true;
  queue.write_out();
  CHECK(output.calls == 1);
  CHECK(queue.bytes() == 0);
  CHECK(queue.dropped() == 3);
  CHECK(queue.unreported() == 3);
  queue.write_out();
  CHECK(output.calls == 1);
}

TEST_CASE_FIXTURE(Fixture, "log queue: a lost notice is repeated with the lines lost since") {
  add(0, 3);
  output.broken = true;
  queue.write_out();
  queue.add_notice("lost 3\n", 3);
  add(3, 4);
  queue.write_out();
  CHECK(queue.dropped() == 4);
  CHECK(queue.unreported() == 4);
}

TEST_CASE_FIXTURE(Fixture, "log queue: a written notice is not repeated") {
  add(0, 3);
  output.broken = true;
  queue.write_out();
  output.broken = false;
  add(3, 6);
  queue.add_notice("lost 3\n", 3);
  // Written in pieces: one that ends before the notice, one that ends within the line after it.
  output.room = 25;
  queue.write_out();
  add(6, 9);
  output.room = 16;
  queue.write_out();
  CHECK(output.written == "line 1003\nline 1004\nline 1005\nlost 3\nline");
  output.broken = true;
  queue.write_out();
  CHECK(queue.unreported() == 3);

  output.broken = false;
  output.room = plenty;
  queue.add_notice("lost 3\n", 3);
  queue.write_out();
  CHECK(queue.bytes() == 0);
  output.broken = true;
  add(9, 11);
  queue.write_out();
  CHECK(queue.unreported() == 2);
}

TEST_CASE_FIXTURE(Fixture, "log queue: a line that was torn ends before the next one begins") {
  add(0, 2);
  output.room = 14;
  queue.write_out();
  output.broken = true;
  queue.write_out();
  CHECK(queue.dropped() == 1);
  // Lost once more, together with the end of the torn line.
  add(2, 3);
  queue.write_out();
  CHECK(queue.dropped() == 2);
  output.broken = false;
  output.room = plenty;
  add(3, 4);
  queue.write_out();
  CHECK(output.written == "line 1000\nline\nline 1003\n");
}

TEST_CASE_FIXTURE(Fixture, "log queue: at the end it waits for the output, within bounds") {
  add(0, 10);
  output.per_wait = 7;
  queue.write_out_within(60'000);
  CHECK(queue.bytes() == 0);
  CHECK(output.waited_ms <= 60'000);
  CHECK(output.waited_ms > 0);

  add(0, 1);
  output.room = 0;
  output.per_wait = 0;
  queue.write_out_within(60'000);  // never ready: returns immediately
  CHECK(queue.bytes() == 10);

  output.per_wait = 1;
  queue.write_out_within(0);
  CHECK(queue.bytes() == 10);
}

}  // namespace log_queue_test

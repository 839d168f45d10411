#include "base/log_limit.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace log_limit_test {

using namespace roomcast::base;

namespace {

constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

int allowed(LogLimit& limit, std::string_view message, int lines, std::int64_t now_ms) {
  int count = 0;
  for (int i = 0; i < lines; ++i)
    count += limit.allows(LogLevel::info, message, now_ms) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("log limit: so many lines of a cause in a second, and as many again in the next") {
  LogLimit limit;
  limit.set_lines_per_second(100);
  CHECK(allowed(limit, "closed", 100, 5'000) == 100);
  CHECK(!limit.has_suppressed());
  CHECK(allowed(limit, "closed", 50, 5'999) == 0);
  CHECK(limit.has_suppressed());
  CHECK(allowed(limit, "closed", 150, 6'000) == 100);
}

TEST_CASE("log limit: causes are counted apart, by message and by level") {
  LogLimit limit;
  limit.set_lines_per_second(1);
  CHECK(limit.allows(LogLevel::info, "a", 0));
  CHECK(limit.allows(LogLevel::info, "b", 0));
  CHECK(limit.allows(LogLevel::warn, "a", 0));
  CHECK(!limit.allows(LogLevel::info, "a", 0));
}

TEST_CASE("log limit: suppressed lines are reported once their second is over") {
  LogLimit limit;
  limit.set_lines_per_second(2);
  allowed(limit, "a", 5, 0);
  allowed(limit, "b", 3, 500);
  CHECK(!limit.take_suppressed(999));
  const auto first = limit.take_suppressed(1'000);
  REQUIRE(first);
  CHECK(first->message == "a");
  CHECK(first->level == LogLevel::info);
  CHECK(first->lines == 3);
  CHECK(!limit.take_suppressed(1'000));
  CHECK(limit.has_suppressed());
  CHECK(limit.take_suppressed(forever)->lines == 1);
  CHECK(!limit.has_suppressed());
  CHECK(!limit.take_suppressed(forever));
}

TEST_CASE("log limit: 0 is none") {
  LogLimit limit;
  limit.set_lines_per_second(0);
  CHECK(allowed(limit, "a", 10'000, 0) == 10'000);
  CHECK(!limit.has_suppressed());
}

TEST_CASE("log limit: with too many causes the last ones share one") {
  LogLimit limit;
  limit.set_lines_per_second(1);
  int lines = 0;
  for (int i = 0; i < 1'000; ++i)
    lines += allowed(limit, "cause " + std::to_string(i), 1, 0);
  CHECK(lines == static_cast<int>(LogLimit::causes_max));
  CHECK(limit.take_suppressed(forever)->lines == 1'000 - LogLimit::causes_max);
}

}  // namespace log_limit_test

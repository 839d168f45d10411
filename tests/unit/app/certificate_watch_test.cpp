#include "app/certificate_watch.h"

#include <doctest/doctest.h>

#include <string>

#include "support/loop_fixture.h"

namespace certificate_watch_test {

using namespace roomcast;

namespace {

constexpr std::int64_t day = app::CertificateWatch::day_ms;

std::string judge(std::int64_t life, std::int64_t age) {
  const auto warning = app::certificate_warning({"c.pem", 0, life}, age);
  return warning ? std::string(warning->what) : "fine";
}

}  // namespace

TEST_CASE("certificates: 14 days before the end, and from the end on") {
  CHECK(judge(90 * day, 76 * day) == "fine");
  CHECK(judge(90 * day, 76 * day + 1) == "certificate expires soon");
  CHECK(judge(90 * day, 90 * day - 1) == "certificate expires soon");
  CHECK(judge(90 * day, 90 * day) == "certificate has expired");
}

TEST_CASE("certificates: one with a short life, in its last third") {
  CHECK(judge(6 * day, 4 * day) == "fine");
  CHECK(judge(6 * day, 4 * day + 1) == "certificate expires soon");
}

TEST_CASE("certificates: not before its time") {
  const auto early = app::certificate_warning({"c.pem", 1'000, 90 * day}, 999);
  REQUIRE(early);
  CHECK(early->level == base::LogLevel::error);
  CHECK(early->when == "1970-01-01T00:00:01Z");
  CHECK_FALSE(app::certificate_warning({"c.pem", 1'000, 90 * day}, 1'000));
}

}  // namespace certificate_watch_test

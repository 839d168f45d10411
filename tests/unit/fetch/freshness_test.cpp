#include "fetch/freshness.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace roomcast::fetch::freshness_test {

TEST_CASE("freshness: max-age less the age, as RFC 9111 has it") {
  CHECK_FALSE(freshness_s("", "").has_value());
  CHECK_FALSE(freshness_s("public, must-revalidate", "5").has_value());
  CHECK_FALSE(freshness_s("s-maxage=60", "").has_value());
  CHECK(freshness_s("max-age=600", "") == 600);
  CHECK(freshness_s("public, Max-Age=600 ,must-revalidate", "") == 600);
  CHECK(freshness_s("max-age=\"600\"", "") == 600);
  CHECK(freshness_s("max-age=600", "100") == 500);
  CHECK(freshness_s("max-age=600", "601") == 0);
  CHECK(freshness_s("max-age=600", "soon") == 600);
  CHECK(freshness_s("max-age=0", "") == 0);
}

TEST_CASE("freshness: what must not be stored, or is unclear, is stale") {
  CHECK(freshness_s("no-store", "") == 0);
  CHECK(freshness_s("max-age=600, no-cache", "") == 0);
  CHECK(freshness_s("no-cache=\"Set-Cookie\", max-age=600", "") == 0);
  CHECK(freshness_s("max-age=600, max-age=60", "") == 0);
  CHECK(freshness_s("max-age=600,max-age=600", "") == 600);
  for (const char* unclear :
       {"max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=x", "max-age=\"", "max-age=1h"})
    CHECK(freshness_s(unclear, "") == 0);
}

TEST_CASE("freshness: numbers that are too large are the largest") {
  constexpr std::int64_t largest = 2'147'483'647;
  CHECK(freshness_s("max-age=2147483647", "") == largest);
  CHECK(freshness_s("max-age=2147483648", "") == largest);
  CHECK(freshness_s("max-age=99999999999999999999999999", "") == largest);
  CHECK(freshness_s("max-age=600", "99999999999999999999999999") == 0);
}

}  // namespace roomcast::fetch::freshness_test

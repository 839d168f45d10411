#include "hub/cursor.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace cursor_test {

using namespace roomcast;

TEST_CASE("cursor: every position reads back as itself") {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  for (const hub::Position position :
       {hub::Position{0, 0}, hub::Position{1, 1}, hub::Position{0xabc, 42}, hub::Position{most, most}}) {
    const auto back = hub::parse_cursor(hub::to_cursor(position));
    REQUIRE(back.has_value());
    CHECK(*back == position);
  }
  CHECK(hub::to_cursor({0xabc, 42}) == "0000000000000abc-42");
}

TEST_CASE("cursor: whatever we did not write is no cursor") {
  for (const char* text :
       {"", "-", "0000000000000abc", "0000000000000abc-", "0000000000000abc-x", "0000000000000abc-042",
        "0000000000000abc--1", "0000000000000abc-+1", "0000000000000ABC-1", "000000000000abc-1",
        "0x00000000000abc-1", "0000000000000abc-1 ", " 000000000000abc-1",
        "0000000000000abc-18446744073709551616", "0000000000000abc-99999999999999999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(hub::parse_cursor(text).has_value());
  }
  CHECK_FALSE(hub::parse_cursor(std::string("0000000000000abc-1\0", 19)).has_value());
}

}  // namespace cursor_test

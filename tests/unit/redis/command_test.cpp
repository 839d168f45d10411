#include "redis/command.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace roomcast;
using namespace std::string_literals;

namespace command_test {

TEST_CASE("a command is an array of bulk strings, whatever bytes are in them") {
  std::string out = "before";
  redis::append_command(out, {"SET", std::string_view("a\r\n\0b", 5), ""});
  CHECK(out == "before*3\r\n$3\r\nSET\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n"s);

  const std::vector<std::string_view> words{"PING"};
  out.clear();
  redis::append_command(out, words);
  CHECK(out == "*1\r\n$4\r\nPING\r\n");
}

TEST_CASE("a command is written word by word, numbers in decimal") {
  std::string out;
  redis::CommandWriter(out, 5)
      .add("X")
      .add(std::int64_t{-5})
      .add(std::uint64_t{0})
      .add(std::numeric_limits<std::int64_t>::min())
      .add(std::numeric_limits<std::uint64_t>::max());
  CHECK(out ==
        "*5\r\n$1\r\nX\r\n$2\r\n-5\r\n$1\r\n0\r\n$20\r\n-9223372036854775808\r\n$"
        "20\r\n18446744073709551615\r\n");
}

}  // namespace command_test

#include "config/spelling.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace spelling_test {

using roomcast::config::did_you_mean;
using roomcast::config::nearest;

namespace {
const std::vector<std::string> names{"listen", "log.level", "log.format", "limits.message_bytes"};
}

TEST_CASE("a letter too many, too few, wrong or swapped finds the name that was meant") {
  CHECK(nearest("listenn", names) == "listen");
  CHECK(nearest("lisen", names) == "listen");
  CHECK(nearest("lusten", names) == "listen");
  CHECK(nearest("lisetn", names) == "listen");
  CHECK(nearest("limit.message_byte", names) == "limits.message_bytes");
}

TEST_CASE("a forgotten section finds the name that was meant") {
  CHECK(nearest("message_bytes", names) == "limits.message_bytes");
  CHECK(nearest("level", names) == "log.level");
}

TEST_CASE("about a third of a word may be wrong and no more") {
  CHECK(nearest("lixxen", names) == "listen");
  CHECK(nearest("lxxxen", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest("n", names).empty());
}

TEST_CASE("a word of 100 bytes is compared, a longer one is not") {
  const std::vector<std::string> longest{std::string(101, 'a')};
  CHECK(nearest(std::string(100, 'a'), longest) == longest[0]);
  CHECK(nearest(std::string(101, 'a'), longest).empty());
}

TEST_CASE("without candidates nothing is near") { CHECK(nearest("listen", {}).empty()); }

TEST_CASE("the question is asked only if there is something to ask") {
  CHECK(did_you_mean("lisen", names) == " (did you mean listen?)");
  CHECK(did_you_mean("xyz", names).empty());
}

}  // namespace spelling_test

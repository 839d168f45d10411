#include "hub/author.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace author_test {

using roomcast::hub::Author;
using roomcast::hub::ByMember;

TEST_CASE("author: nothing, a name, or a name and a principal") {
  CHECK(Author().empty());
  CHECK(Author("").empty());
  CHECK(Author("").held_bytes() == 0);
  const Author anonymous("Ada");
  CHECK(anonymous.name() == "Ada");
  CHECK(anonymous.principal().empty());
  const Author user("Ada", "user:ada");
  CHECK(user.name() == "Ada");
  CHECK(user.principal() == "user:ada");
  const Author nameless("", "key:ci");
  CHECK_FALSE(nameless.empty());
  CHECK(nameless.name().empty());
  CHECK(nameless.principal() == "key:ci");
  CHECK_FALSE(anonymous == user);
  CHECK(user == Author("Ada", "user:ada"));
  CHECK(sizeof(Author) == sizeof(void*));
}

TEST_CASE("author: a name with a NUL gives an anonymous client no principal") {
  using namespace std::string_view_literals;
  const Author forged("Ada\0user:ada"sv);
  CHECK(forged.principal().empty());
  CHECK(forged.name() == "Ada\x01user:ada"sv);
  const Author user("A\0user:eve"sv, "user:ada");
  CHECK(user.principal() == "user:ada");
}

TEST_CASE("author: members are told apart by principal, anonymous ones by name") {
  const ByMember before;
  const auto is_same = [&](const Author& a, const Author& b) { return !before(a, b) && !before(b, a); };
  CHECK(is_same(Author("Ada", "user:ada"), Author("Ada L.", "user:ada")));
  CHECK_FALSE(is_same(Author("Ada", "user:ada"), Author("Ada", "user:ada2")));
  CHECK_FALSE(is_same(Author("Ada", "user:ada"), Author("Ada", "key:ada")));
  CHECK_FALSE(is_same(Author("Ada", "user:ada"), Author("Ada")));
  CHECK_FALSE(is_same(Author("user:ada"), Author("x", "user:ada")));
  CHECK(is_same(Author("Ada"), Author("Ada")));
  CHECK(before(Author("ada"), Author("bob")));
  CHECK(before(Author("zoe"), Author("Ada", "user:ada")));
}

}  // namespace author_test

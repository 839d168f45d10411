#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "base/name_block.h"

namespace name_block_test {

using roomcast::base::NameBlock;
using roomcast::base::NameRef;

TEST_CASE("name block: a name, a principal, both or none") {
  CHECK(NameRef().name().empty());
  CHECK(NameRef("", "").get() == nullptr);
  CHECK(NameRef("Ada", "").name() == "Ada");
  CHECK(NameRef("Ada", "").principal().empty());
  CHECK(NameRef("", "key:ci").principal() == "key:ci");
  const NameRef both("Ada", "user:ada");
  CHECK(both.name() == "Ada");
  CHECK(both.principal() == "user:ada");
}

TEST_CASE("name block: a name that is the id is kept once") {
  const NameRef same("ada", "user:ada");
  CHECK(same.name() == "ada");
  CHECK(same.principal() == "user:ada");
  CHECK(same.get()->bytes() + 3 == NameRef("bob", "user:ada").get()->bytes());
}

TEST_CASE("name block: texts are cut at their bounds, and not before") {
  const std::string name(NameBlock::name_bytes_max, 'n');
  const std::string principal(NameBlock::principal_bytes_max, 'p');
  const NameRef at(name, principal);
  CHECK(at.name() == name);
  CHECK(at.principal() == principal);
  const NameRef past(name + 'x', principal + 'x');
  CHECK(past.name() == name);
  CHECK(past.principal() == principal);
}

TEST_CASE("name block: copies share it, and the last one frees it") {
  NameRef one("Ada", "user:ada");
  NameRef two = one;
  CHECK(one.get() == two.get());
  one = NameRef();
  CHECK(two.name() == "Ada");
  one = std::move(two);
  CHECK(one.name() == "Ada");
}

}  // namespace name_block_test

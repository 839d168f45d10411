#include "session/user_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace user_index_test {

using namespace roomcast;
using session::UserIndex;

namespace {

struct Device final : UserIndex::Entry {
  explicit Device(const std::string& id, access::Kind kind = access::Kind::user)
      : Entry(
            access::Identity(access::Profile{kind, access::Proof::token, id, "", "", {}, {}, "", "", 0, 0})) {
  }
};

std::size_t count(const UserIndex& index, std::string_view id, access::Kind kind = access::Kind::user) {
  std::size_t found = 0;
  index.for_each(kind, id, [&](const UserIndex::Entry& entry) {
    CHECK(entry.identity().id() == id);
    ++found;
  });
  return found;
}

}  // namespace

TEST_CASE("user index: finds all devices of a user, and nobody else's") {
  UserIndex index;
  CHECK(count(index, "ada") == 0);
  Device phone("ada");
  Device laptop("ada");
  Device key("ada", access::Kind::key);
  Device bob("bob");
  for (Device* device : {&phone, &laptop, &key, &bob})
    index.add(*device);
  CHECK(count(index, "ada") == 2);
  CHECK(count(index, "ada", access::Kind::key) == 1);
  CHECK(count(index, "eve") == 0);
  index.remove(phone);
  index.remove(phone);  // again: nothing
  CHECK(count(index, "ada") == 1);
  CHECK(index.size() == 3);
}

TEST_CASE("user index: the visitor may remove what it is given") {
  UserIndex index;
  std::vector<std::unique_ptr<Device>> devices;
  for (int i = 0; i < 10; ++i)
    index.add(*devices.emplace_back(std::make_unique<Device>("ada")));
  std::size_t visited = 0;
  index.for_each(access::Kind::user, "ada", [&](UserIndex::Entry& entry) {
    index.remove(entry);
    ++visited;
  });
  CHECK(visited == 10);
  CHECK(index.size() == 0);
}

TEST_CASE("user index: nobody is lost while it grows, bucket by bucket, and shrinks") {
  constexpr int users = 5'000;
  UserIndex index;
  std::vector<std::unique_ptr<Device>> devices;
  for (int i = 0; i < users; ++i) {
    index.add(*devices.emplace_back(std::make_unique<Device>("user" + std::to_string(i))));
    if ((i & (i - 1)) != 0 && i % 613 != 0) continue;
    for (int k = 0; k <= i; ++k)
      REQUIRE(count(index, "user" + std::to_string(k)) == 1);
  }
  for (int i = 0; i < users; i += 2)
    index.remove(*devices[static_cast<std::size_t>(i)]);
  for (int i = 0; i < users; ++i)
    REQUIRE(count(index, "user" + std::to_string(i)) == static_cast<std::size_t>(i % 2));
  CHECK(index.size() == users / 2);
}

}  // namespace user_index_test

// The members of a room in order, against a map.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "hub/present_members.h"

namespace present_members_test {

using namespace roomcast;
using hub::Author;
using hub::PresentMember;
using hub::PresentMembers;

TEST_CASE("present members: empty, one, and empty again") {
  PresentMembers members;
  const Author ada("Ada", "user:ada");
  CHECK(members.empty());
  CHECK(members.find(ada) == nullptr);
  members.erase(ada);
  const auto [added, is_new] = members.add(ada);
  CHECK((is_new && added.connections == 0 && added.author == ada));
  CHECK_FALSE(members.add(Author("A.", "user:ada")).second);
  CHECK(members.size() == 1);
  members.erase(Author("Bob", "user:bob"));
  CHECK(members.size() == 1);
  members.erase(ada);
  CHECK(members.empty());
}

TEST_CASE("present members: in any order of additions and removals they are those of a map") {
  std::minstd_rand random(7);
  PresentMembers members;
  std::map<Author, std::uint32_t, hub::ByMember> expected;
  for (const std::size_t most : {std::size_t{3'000}, PresentMembers::block_max, std::size_t{2}}) {
    for (int i = 0; i < 20'000; ++i) {
      const std::string id = std::to_string(random() % 6'000);
      const Author author = random() % 2 == 0 ? Author(id) : Author(id, "user:" + id);
      if (expected.size() >= most || random() % 8 == 0) {
        // One that is there.
        if (expected.empty()) continue;
        const auto found = expected.lower_bound(author);
        const Author gone = found == expected.end() ? expected.begin()->first : found->first;
        expected.erase(gone);
        members.erase(gone);
      } else {
        const auto [member, is_new] = members.add(author);
        CHECK(is_new == expected.try_emplace(author, 0U).second);
        member.connections = ++expected[author];
      }
    }
    REQUIRE(members.size() == expected.size());
    auto next = expected.begin();
    members.for_each([&](const PresentMember& member) {
      CHECK(member.author == next->first);
      CHECK(member.connections == next->second);
      ++next;
    });
    for (const auto& [author, connections] : expected)
      CHECK(members.find(author)->connections == connections);
  }
}

}  // namespace present_members_test

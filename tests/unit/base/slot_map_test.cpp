#include "base/slot_map.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace roomcast::base::slot_map_test {

TEST_CASE("slot map: an id finds what it was given for") {
  SlotMap<std::string> map;
  const SlotId a = map.insert("a");
  const SlotId b = map.insert("b");
  CHECK(*map.find(a) == "a");
  CHECK(*map.find(b) == "b");
  CHECK(map.size() == 2);
}

TEST_CASE("slot map: an id that was never given out finds nothing") {
  SlotMap<int> map;
  CHECK(map.find(SlotId{}) == nullptr);
  (void)map.insert(1);
  CHECK(map.find(SlotId{}) == nullptr);
  CHECK(map.find({1, 1}) == nullptr);
}

TEST_CASE("slot map: a stale id finds nothing, even when its slot is taken again") {
  SlotMap<std::string> map;
  const SlotId old_id = map.insert("old");
  CHECK(map.take(old_id) == "old");
  CHECK(map.size() == 0);
  CHECK(map.find(old_id) == nullptr);
  const SlotId new_id = map.insert("new");
  CHECK(new_id.index == old_id.index);
  CHECK_FALSE(new_id == old_id);
  CHECK(map.find(old_id) == nullptr);
  CHECK(map.take(old_id).empty());
  CHECK(*map.find(new_id) == "new");
}

TEST_CASE("slot map: taking gives ownership out") {
  SlotMap<std::unique_ptr<int>> map;
  const SlotId id = map.insert(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = map.take(id);
  CHECK(*taken == 7);
  CHECK(map.take(id) == nullptr);
}

TEST_CASE("slot map: a visitor meets every occupant and may remove any of them") {
  SlotMap<int> map;
  std::vector<SlotId> ids;
  for (int i = 0; i < 10; ++i)
    ids.push_back(map.insert(i));
  std::multiset<int> seen;
  map.for_each([&](SlotId id, int& value) {
    seen.insert(value);
    if (value == 3) {
      (void)map.take(id);
      (void)map.take(ids[8]);
    }
  });
  CHECK(seen == std::multiset<int>{0, 1, 2, 3, 4, 5, 6, 7, 9});
  CHECK(map.size() == 8);
}

TEST_CASE("slot map: can be gone through by index, in parts") {
  SlotMap<std::string> map;
  CHECK(map.slots() == 0);
  const SlotId a = map.insert("a");
  const SlotId b = map.insert("b");
  CHECK(map.slots() == 2);
  CHECK(*map.at_slot(b.index) == "b");
  map.take(a);
  CHECK(map.slots() == 2);
  CHECK(map.at_slot(a.index) == nullptr);
}

}  // namespace roomcast::base::slot_map_test

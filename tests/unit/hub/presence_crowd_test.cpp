// Presence of rooms with more members than are listed by name.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unit/hub/presence_fixture.h"

namespace presence_crowd_test {

using namespace roomcast;
using namespace roomcast::test::presence;

TEST_CASE_FIXTURE(Fixture,
                  "presence: nameless clients are counted, also in rooms without names and watchers") {
  auto nameless = join_nameless(crowd);
  CHECK(here() == "4: +4");
  nameless.push_back(join(""));
  CHECK(here() == "5: crowd +5");
  nameless.clear();
  CHECK(here() == "0: +0");
}

TEST_CASE_FIXTURE(Fixture, "presence: at the limit all are named, one past it there is a crowd") {
  const auto watcher = watch("w");
  const auto a = join("a");
  const auto b = join("b");
  const auto c = join("c");
  turn();
  CHECK(watcher->told() == "+a+b+c");
  CHECK(here() == "4: a b c w +0");
  const auto d = join("d");
  turn();
  CHECK(watcher->told() == "#5");
  CHECK(here() == "5: crowd +0");
  const auto late = watch("late");
  CHECK(late->snapshot == "6: crowd +0");
}

TEST_CASE_FIXTURE(Fixture, "presence: a nameless client makes a crowd as well as a named one") {
  const auto watcher = watch("w");
  auto nameless = join_nameless(crowd);
  turn();
  CHECK(watcher->told() == "#5");
  nameless.pop_back();
  pass(1'000);
  CHECK(watcher->told() == "[4: w +3]");
}

TEST_CASE_FIXTURE(Fixture, "presence: many joins in one turn are one number") {
  const auto watcher = watch();
  std::vector<std::unique_ptr<Client>> many;
  for (int i = 0; i < 500; ++i)
    many.push_back(join("n" + std::to_string(i)));
  turn();
  CHECK(watcher->told() == "#501");
  pass(60'000);
  CHECK(watcher->told().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a crowd is counted at most once a second, and only if its number has changed") {
  const auto watcher = watch();
  auto crowd_of_five = join_nameless(4);
  turn();
  CHECK(watcher->told() == "#5");
  for (int i = 0; i < 9; ++i) {
    crowd_of_five.push_back(join(""));
    pass(100);
    CHECK(watcher->told().empty());
  }
  pass(99);
  CHECK(watcher->told().empty());
  pass(1);
  CHECK(watcher->told() == "#14");
  pass(1'000);
  CHECK(watcher->told().empty());
  const auto one = join("");
  pass(999);
  CHECK(watcher->told().empty());
  pass(1);
  CHECK(watcher->told() == "#15");
}

TEST_CASE_FIXTURE(Fixture, "presence: when the crowd is over a list is announced once, then names again") {
  const auto watcher = watch("w");
  const auto a = join("a");
  auto nameless = join_nameless(3);
  turn();
  CHECK(watcher->told() == "#5");
  nameless.pop_back();
  const auto last_there = here();
  CHECK(last_there == "4: crowd +2");  // as announced
  const auto late = watch();           // a crowd again
  pass(1'000);
  CHECK(watcher->told().empty());  // five as before
  nameless.pop_back();
  pass(1'000);
  CHECK(watcher->told() == "[4: a w +2]");
  CHECK(late->told() == "[4: a w +2]");
  nameless.clear();
  const auto b = join("b");
  pass(10'000);
  CHECK(watcher->told() == "+b");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a room that flaps around the limit announces it at most once a second") {
  const auto watcher = watch("w");
  const auto others = join_nameless(3);
  std::size_t told = 0;
  for (int ms = 0; ms < 10'000; ms += 50) {
    auto one_too_many = join("");
    pass(25);
    one_too_many.reset();
    pass(25);
    if (!watcher->told().empty()) ++told;
  }
  CHECK(told > 5);
  CHECK(told <= 11);
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: names that leave while there is a crowd are missing from the list after it") {
  const auto watcher = watch("w");
  auto a = join("a");
  auto nameless = join_nameless(3);
  turn();
  CHECK(watcher->told() == "#5");
  a.reset();
  pass(grace_ms);
  CHECK(watcher->told() == "[4: w +3]");
}

TEST_CASE_FIXTURE(Fixture, "presence: new limits apply at once to the rooms there are") {
  const auto watcher = watch("w");
  auto a = join("a");
  auto b = join("b");
  turn();
  CHECK(watcher->told() == "+a+b");
  set_limits({grace_ms, 2});
  turn();
  CHECK(watcher->told() == "#3");
  set_limits({100, 3});
  pass(1'000);
  CHECK(watcher->told() == "[3: a b w +0]");
  a.reset();
  pass(100);
  CHECK(watcher->told() == "-a");
  b.reset();
  set_limits({0, 3});
  pass(0);
  CHECK(watcher->told() == "-b");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: hidden members are a number, and listed for who may see them, up to a crowd") {
  const auto listed = [&] { return say(hub.presence("lobby", hub::Hidden::listed)); };
  set_limits({grace_ms, 2, true});
  CHECK(listed() == "0: +0");
  const auto nameless = join("");
  CHECK(here() == "1: crowd +1");
  CHECK(listed() == "1: +1");
  const auto watcher = watch("w");
  CHECK(watcher->snapshot == "2: crowd +1");
  CHECK(here() == "2: crowd +1");
  CHECK(listed() == "2: w +1");
  CHECK(hub.listed("lobby") == 1);
  const auto third = join("ada");
  pass(1'000);
  CHECK(watcher->told() == "#3");
  CHECK(listed() == "3: crowd +1");
  CHECK(hub.listed("lobby") == 0);
  set_limits({grace_ms, 2});
  CHECK(listed() == "3: crowd +1");
}

}  // namespace presence_crowd_test

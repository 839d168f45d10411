// What watchers get, and when.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unit/hub/presence_fixture.h"

namespace presence_watch_test {

using namespace roomcast;
using namespace roomcast::test::presence;

TEST_CASE_FIXTURE(
    Fixture, "presence: a watcher begins with a snapshot that holds itself, and does not get that again") {
  const auto bob = watch("bob");
  const auto ada = watch("ada");
  CHECK(bob->snapshot == "1: bob +0");
  CHECK(bob->told() == "+ada");
  CHECK(ada->snapshot == "2: ada bob +0");
  CHECK(ada->told().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a watcher that joins between a change and its update has it in the snapshot") {
  const auto first = watch();
  const auto ada = join("ada");
  const auto second = std::make_unique<Client>(*this, "", true);
  const auto bob = join("bob");
  turn();
  CHECK(first->told() == "+ada+bob");
  CHECK(second->snapshot == "4: ada bob +2");
  CHECK(second->told().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: while the engine has not opened the room, watchers wait for their snapshot") {
  engine.hold_rooms = true;
  const auto watcher = watch();
  const auto ada = join("ada");
  turn();
  CHECK(watcher->snapshot.empty());
  CHECK(watcher->told().empty());
  CHECK(here() == "2: ada +1");
  engine.events().on_subscribed("lobby", hub::LogState({1, 0}));
  turn();
  CHECK(watcher->snapshot == "2: ada +1");
  const auto bob = join("bob");
  turn();
  CHECK(watcher->told() == "+bob");
}

TEST_CASE_FIXTURE(Fixture, "presence: somebody is known before being heard") {
  const auto watcher = watch();
  const auto ada = join("ada");
  hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of("hi"), {}, 0});
  turn();
  CHECK(watcher->told() == "+ada\"hi\"");
}

TEST_CASE_FIXTURE(Fixture, "presence: a change is encoded once for all that share an encoder") {
  const auto a = watch();
  const auto b = watch();
  const auto ada = join("ada");
  turn();
  CHECK(a->last.view() == "lobby+ada");
  CHECK(a->last.view().data() == b->last.view().data());
  CHECK(encoder.encoded == 1);
  CHECK(a->last.use_count() == 2);  // the news has let go
}

TEST_CASE_FIXTURE(Fixture, "presence: a watcher that leaves during an update takes no other's turn") {
  const auto a = watch();
  auto b = watch();
  const auto c = watch();
  a->drops = b.get();
  const auto ada = join("ada");
  turn();
  CHECK(a->told() == "+ada");
  CHECK(b->told().empty());
  CHECK(c->told() == "+ada");
  const auto bob = watch("bob");  // the hole has been closed
  CHECK(a->told() == "+bob");
  CHECK(c->told() == "+bob");
}

TEST_CASE_FIXTURE(Fixture, "presence: the last watcher may leave during its update") {
  auto only = watch();
  only->drops = only.get();
  join("ada").reset();
  join("bob").reset();
  turn();
  CHECK(only->told() == "+ada");
  pass(grace_ms);
  CHECK(here() == "0: +0");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: many watchers are served in slices between which they may join and leave") {
  set_limits({grace_ms, 2'000});
  constexpr std::size_t count = 1'000;
  std::vector<std::unique_ptr<Client>> watchers;
  for (std::size_t i = 0; i < count; ++i)
    watchers.push_back(std::make_unique<Client>(*this, "", true));
  turn();
  const auto ada = join("ada");
  CHECK(hub.do_slice());
  CHECK(watchers.front()->heard == "+ada");
  CHECK(watchers.back()->heard.empty());
  watchers.front()->leave();     // has had it
  watchers[count - 2]->leave();  // has not, and must not get it
  const auto late = std::make_unique<Client>(*this, "", true);
  const auto bob = join("bob");
  turn();
  CHECK(watchers.front()->heard == "+ada");
  CHECK(watchers[count - 2]->heard.empty());
  for (std::size_t i = 1; i < count; ++i) {
    if (i != count - 2) CHECK(watchers[i]->heard == "+ada+bob");
  }
  CHECK(late->snapshot == "1001: ada bob +999");
  CHECK(late->heard.empty());
}

}  // namespace presence_watch_test

#include "hub/presence.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unit/hub/presence_fixture.h"

namespace presence_test {

using namespace roomcast;
using namespace roomcast::test::presence;

TEST_CASE_FIXTURE(Fixture, "presence: five tabs are one member, which joins once and leaves once") {
  const auto watcher = watch();
  std::vector<std::unique_ptr<Client>> tabs;
  for (int i = 0; i < 5; ++i) {
    tabs.push_back(join("ada"));
    turn();
  }
  CHECK(watcher->told() == "+ada");
  CHECK(here() == "2: ada +1");
  while (!tabs.empty()) {
    tabs.pop_back();
    pass(grace_ms - 1);
  }
  CHECK(watcher->told().empty());
  pass(1);
  CHECK(watcher->told() == "-ada");
  CHECK(here() == "1: +1");
}

TEST_CASE_FIXTURE(Fixture, "presence: a name that is back within the grace time was never gone") {
  const auto watcher = watch();
  auto ada = join("ada");
  turn();
  CHECK(watcher->told() == "+ada");
  ada.reset();
  pass(grace_ms - 1);
  CHECK(here() == "2: ada +1");
  ada = join("ada");
  pass(10 * grace_ms);
  CHECK(watcher->told().empty());
  CHECK(here() == "2: ada +1");
}

TEST_CASE_FIXTURE(Fixture, "presence: the devices of a user are one member, whose newest name counts") {
  const auto watcher = watch();
  auto phone = join("Ada=user:ada");
  turn();
  auto laptop = join("Ada=user:ada");
  turn();
  CHECK(watcher->told() == "+Ada=user:ada");
  auto desk = join("Ada L.=user:ada");
  turn();
  CHECK(watcher->told() == "+Ada L.=user:ada");
  CHECK(here() == "2: Ada L.=user:ada +1");
  phone.reset();
  laptop.reset();
  pass(10 * grace_ms);
  CHECK(here() == "2: Ada L.=user:ada +1");
  desk.reset();
  pass(1);
  phone = join("Ada=user:ada");
  pass(10 * grace_ms);
  CHECK(watcher->told() == "+Ada=user:ada");  // it was never gone, but has another name
  phone.reset();
  pass(10 * grace_ms);
  CHECK(watcher->told() == "-Ada=user:ada");
  CHECK(here() == "1: +1");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a member that changes its name is announced anew, and goes on watching") {
  const auto watcher = watch();
  const auto ada = watch("Ada=user:ada");
  const auto tab = join("Ada=user:ada");
  turn();
  CHECK(watcher->told() == "+Ada=user:ada");
  ada->told();
  ada->membership->rename(hub::Author("Ada L.", "user:ada"));
  tab->membership->rename(hub::Author("Ada L.", "user:ada"));
  turn();
  CHECK(watcher->told() == "+Ada L.=user:ada");
  CHECK(ada->told() == "+Ada L.=user:ada");
  CHECK(say(tab->membership->author()) == "Ada L.=user:ada");
  CHECK(here() == "2: Ada L.=user:ada +1");
  const auto bob = join("bob");
  turn();
  CHECK(ada->told() == "+bob");
  ada->leave();
  tab->leave();
  pass(grace_ms);
  CHECK(watcher->told() == "+bob-Ada L.=user:ada");
  CHECK(here() == "2: bob +1");
}

TEST_CASE_FIXTURE(Fixture, "presence: an anonymous client is no user and no key, whatever it is called") {
  const auto watcher = watch();
  const auto user = join("Ada=user:ada");
  const auto anonymous = join("Ada");
  const auto forger = join("user:ada");
  turn();
  CHECK(watcher->told() == "+Ada=user:ada+Ada+user:ada");
  CHECK(here() == "4: Ada user:ada Ada=user:ada +1");
}

TEST_CASE_FIXTURE(Fixture, "presence: leaving and returning in one turn causes no event") {
  const auto watcher = watch();
  auto ada = join("ada");
  turn();
  ada = nullptr;
  ada = join("ada");
  ada = nullptr;
  ada = join("ada");
  pass(10 * grace_ms);
  CHECK(watcher->told() == "+ada");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a name that joins and leaves in one turn is present for the grace time") {
  const auto watcher = watch();
  join("ada").reset();
  turn();
  CHECK(watcher->told() == "+ada");
  pass(grace_ms - 1);
  CHECK(watcher->told().empty());
  pass(1);
  CHECK(watcher->told() == "-ada");
}

TEST_CASE_FIXTURE(Fixture, "presence: the grace time begins anew with each departure") {
  const auto watcher = watch();
  auto ada = join("ada");
  for (int i = 0; i < 5; ++i) {
    ada.reset();
    pass(grace_ms - 1);
    ada = join("ada");
    turn();
  }
  ada.reset();
  pass(grace_ms - 1);
  CHECK(watcher->told() == "+ada");
  pass(1);
  CHECK(watcher->told() == "-ada");
  ada = join("ada");
  turn();
  CHECK(watcher->told() == "+ada");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: names that are gone leave in the order in which they went, each in time") {
  const auto watcher = watch();
  auto ada = join("ada");
  auto bob = join("bob");
  auto cy = join("cy");
  turn();
  CHECK(watcher->told() == "+ada+bob+cy");
  cy.reset();
  pass(1'000);
  ada.reset();
  bob.reset();
  pass(1'000);
  bob = join("bob");
  pass(999);
  CHECK(watcher->told().empty());
  pass(1);
  CHECK(watcher->told() == "-cy");
  pass(1'000);
  CHECK(watcher->told() == "-ada");
  CHECK(here() == "2: bob +1");
}

TEST_CASE_FIXTURE(Fixture, "presence: without a grace time a leave is announced at the next sweep") {
  set_limits({0, crowd});
  const auto watcher = watch();
  join("ada").reset();
  turn();
  CHECK(watcher->told() == "+ada");
  pass(0);
  CHECK(watcher->told() == "-ada");
}

TEST_CASE_FIXTURE(Fixture, "presence: names are bytes; members stand in their order") {
  const std::string composed = "Ren\xC3\xA9";
  const std::string decomposed = "Rene\xCC\x81";
  const auto a = join(composed);
  const auto b = join(decomposed);
  const auto c = join("ada");
  const auto d = join("Ada");
  CHECK(here() == "4: Ada Rene\xCC\x81 Ren\xC3\xA9 ada +0");
}

TEST_CASE_FIXTURE(Fixture, "presence: one client in two rooms is a member of both and watched in each") {
  const auto in_lobby = watch();
  const Client ada(*this, "ada", false, "attic");
  turn();
  CHECK(in_lobby->told().empty());
  CHECK(here() == "1: +1");
  CHECK(say(hub.presence("attic")) == "1: ada +0");
}

TEST_CASE_FIXTURE(Fixture, "presence: a room that never had members has an empty list, and is not created") {
  CHECK(here() == "0: +0");
  CHECK(hub.rooms() == 0);
}

TEST_CASE_FIXTURE(Fixture, "presence: a room with a name in its grace time is remembered that long") {
  hub::RoomSettings settings = part::room_settings({});
  settings.history.age_ms = 1'000;
  settings.presence = {grace_ms, crowd};
  hub.set_rules(hub::RoomRules(settings));
  join("ada").reset();
  pass(grace_ms - 1);
  CHECK(here() == "1: ada +0");
  CHECK(hub.rooms() == 1);
  pass(1);
  CHECK(here() == "0: +0");
  pass(0);
  CHECK(hub.rooms() == 0);
  CHECK(hub.history_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: when rooms take too much memory, one without connections may be evicted") {
  join("ada").reset();
  limits.history_bytes = 1;
  hub.set_limits(limits);
  CHECK(hub.rooms() == 0);
  pass(grace_ms);
  CHECK(here() == "0: +0");
}

TEST_CASE_FIXTURE(Fixture, "hub: rooms are occupied from their first member to their last") {
  CHECK(hub.occupied_rooms() == 0);
  auto a = join("");
  auto b = join("b");
  const auto elsewhere = std::make_unique<Client>(*this, "", false, "attic");
  hub.publish("cellar", {hub::Kind::text, base::Bytes::copy_of("x"), {}, 0});
  CHECK(hub.rooms() == 3);
  CHECK(hub.occupied_rooms() == 2);
  a.reset();
  CHECK(hub.occupied_rooms() == 2);
  b.reset();
  CHECK(hub.occupied_rooms() == 1);
  CHECK(hub.rooms() == 3);
  a = join("");
  CHECK(hub.occupied_rooms() == 2);
}

}  // namespace presence_test

#include "hub/presence.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"
#include "support/fake_clock.h"
#include "support/fake_engine.h"
#include "support/fake_scheduler.h"

using namespace roomcast;

namespace {

/// "3: ada bob +1", "3: crowd +1"
std::string say(const hub::PresenceSnapshot& snapshot) {
  std::string out = std::to_string(snapshot.count) + ':';
  if (!snapshot.members) out += " crowd";
  for (const base::FrameRef& name : snapshot.members.value_or(std::vector<base::FrameRef>{})) {
    out += ' ';
    out += name.view();
  }
  return out + " +" + std::to_string(snapshot.anonymous);
}

/// "+ada", "-ada", "#101", "[3: ada bob +1]"
std::string say(const hub::PresenceChange& change) {
  using What = hub::PresenceChange::What;
  if (change.what == What::joined) return '+' + std::string(change.name.view());
  if (change.what == What::left) return '-' + std::string(change.name.view());
  if (change.what == What::counted) return '#' + std::to_string(change.everybody.count);
  return '[' + say(change.everybody) + ']';
}

struct WordEncoder final : hub::Encoder {
  void encode(std::string_view /*room*/, const hub::Message& /*message*/,
              std::string& /*out*/) const override {}
  void encode_presence(std::string_view room, const hub::PresenceChange& change,
                       std::string& out) const override {
    ++encoded;
    out += room;
    out += say(change);
  }
  mutable int encoded = 0;
};

struct Fixture;

/// One connection of a client.
struct Client final : hub::Subscriber {
  Client(Fixture& f, std::string_view name, bool watches, std::string_view room = "lobby");
  void on_joined(hub::Membership& membership, const hub::Joined& joined) override;
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override;
  void on_presence(hub::Membership& membership, hub::PresenceNews& news) override;
  void leave() { membership.reset(); }
  /// What it was told since it was asked last.
  std::string told() { return std::exchange(heard, {}); }

  Fixture& fixture;
  std::string snapshot;  // at on_joined
  std::string heard;
  base::FrameRef last;
  Client* drops = nullptr;  // whom it makes leave when it is told something
  std::unique_ptr<hub::Membership> membership;
};

struct Fixture {
  static constexpr std::int64_t grace_ms = 3'000;
  static constexpr std::size_t crowd = 4;

  Fixture() { set_limits({grace_ms, crowd}); }

  void set_limits(const hub::PresenceLimits& limits) { hub.set_rules(hub::RoomRules({{}, limits})); }
  std::unique_ptr<Client> join(std::string_view name) { return std::make_unique<Client>(*this, name, false); }
  std::unique_ptr<Client> watch(std::string_view name = "") {
    auto client = std::make_unique<Client>(*this, name, true);
    turn();
    return client;
  }
  std::vector<std::unique_ptr<Client>> join_nameless(std::size_t count) {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < count; ++i)
      clients.push_back(join(""));
    return clients;
  }
  void turn() { scheduler.run_turn(hub); }
  void pass(std::int64_t ms) {
    turn();
    clock.advance(ms);
    deadlines.sweep();
    turn();
  }
  [[nodiscard]] std::string here() const { return say(hub.presence("lobby")); }

  test::FakeEngine engine;
  test::FakeScheduler scheduler;
  test::FakeClock clock;
  base::Deadlines deadlines{clock, 50};
  hub::Hub hub{{engine, scheduler, clock, deadlines}, {}};
  WordEncoder encoder;
};

Client::Client(Fixture& f, std::string_view name, bool watches, std::string_view room) : fixture(f) {
  hub::Interest interest;
  interest.name = base::FrameRef::copy_of(name);
  interest.watch_presence = watches;
  membership = fixture.hub.subscribe(room, *this, interest);
}

void Client::on_joined(hub::Membership& m, const hub::Joined& /*joined*/) {
  snapshot = say(fixture.hub.presence(m.room_name()));
}

void Client::deliver(hub::Batch& batch, std::size_t from) {
  for (const hub::Message& message : batch.messages().subspan(from))
    heard += '"' + std::string(message.payload.view()) + '"';
}

void Client::on_presence(hub::Membership& m, hub::PresenceNews& news) {
  CHECK(&m == membership.get());
  heard += say(news.change());
  last = news.wire(fixture.encoder);
  if (drops != nullptr) std::exchange(drops, nullptr)->leave();
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "presence: five tabs are one member, who joins once and leaves once") {
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

TEST_CASE_FIXTURE(Fixture, "presence: who is back within the grace time was never gone") {
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

TEST_CASE_FIXTURE(Fixture, "presence: who leaves and returns in one turn causes no event") {
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

TEST_CASE_FIXTURE(Fixture, "presence: who comes and goes in one turn has been here for the grace time") {
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
                  "presence: those who are gone leave in the order in which they went, each in time") {
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

TEST_CASE_FIXTURE(Fixture, "presence: without a grace time a departure is told at the next sweep") {
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

TEST_CASE_FIXTURE(Fixture,
                  "presence: of a room nobody was ever in there is an empty list, and no room after") {
  CHECK(here() == "0: +0");
  CHECK(hub.rooms() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: nameless clients are counted, also where nobody watches or has a name") {
  auto nameless = join_nameless(crowd);
  CHECK(here() == "4: +4");
  nameless.push_back(join(""));
  CHECK(here() == "5: crowd +5");
  nameless.clear();
  CHECK(here() == "0: +0");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a watcher begins with a snapshot that holds itself, and is not told it again") {
  const auto bob = watch("bob");
  const auto ada = watch("ada");
  CHECK(bob->snapshot == "1: bob +0");
  CHECK(bob->told() == "+ada");
  CHECK(ada->snapshot == "2: ada bob +0");
  CHECK(ada->told().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a watcher who comes between a change and its telling has it in the snapshot") {
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
  engine.events().on_subscribed("lobby", {1, 0});
  turn();
  CHECK(watcher->snapshot == "2: ada +1");
  const auto bob = join("bob");
  turn();
  CHECK(watcher->told() == "+bob");
}

TEST_CASE_FIXTURE(Fixture, "presence: somebody is known before being heard") {
  const auto watcher = watch();
  const auto ada = join("ada");
  hub.publish("lobby", {hub::Kind::text, base::FrameRef::copy_of("hi"), {}, 0});
  turn();
  CHECK(watcher->told() == "+ada\"hi\"");
}

TEST_CASE_FIXTURE(Fixture, "presence: a change is encoded once for all who share an encoder") {
  const auto a = watch();
  const auto b = watch();
  const auto ada = join("ada");
  turn();
  CHECK(a->last.view() == "lobby+ada");
  CHECK(a->last.view().data() == b->last.view().data());
  CHECK(encoder.encoded == 1);
  CHECK(a->last.use_count() == 2);  // the news has let go
}

TEST_CASE_FIXTURE(Fixture, "presence: at the limit everybody is named, one past it there is a crowd") {
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

TEST_CASE_FIXTURE(Fixture, "presence: a nameless client makes a crowd as well as anybody") {
  const auto watcher = watch("w");
  auto nameless = join_nameless(crowd);
  turn();
  CHECK(watcher->told() == "#5");
  nameless.pop_back();
  pass(1'000);
  CHECK(watcher->told() == "[4: w +3]");
}

TEST_CASE_FIXTURE(Fixture, "presence: many who come in one turn are one number") {
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

TEST_CASE_FIXTURE(Fixture, "presence: when the crowd is over a list is told once, then names again") {
  const auto watcher = watch("w");
  const auto a = join("a");
  auto nameless = join_nameless(3);
  turn();
  CHECK(watcher->told() == "#5");
  nameless.pop_back();
  const auto last_there = here();
  CHECK(last_there == "4: crowd +2");  // as everybody was told
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
                  "presence: a room that flaps around the limit is told of it at most once a second") {
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

TEST_CASE_FIXTURE(Fixture, "presence: a watcher who leaves while a change is told takes nobody else's turn") {
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

TEST_CASE_FIXTURE(Fixture, "presence: the last watcher may leave while it is told something") {
  auto only = watch();
  only->drops = only.get();
  join("ada").reset();
  join("bob").reset();
  turn();
  CHECK(only->told() == "+ada");
  pass(grace_ms);
  CHECK(here() == "0: +0");
}

TEST_CASE_FIXTURE(Fixture, "presence: many watchers are told in slices between which they may come and go") {
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
  watchers.front()->leave();     // told already
  watchers[count - 2]->leave();  // not told yet: must not be
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

TEST_CASE_FIXTURE(Fixture, "presence: a room where somebody is in the grace time is remembered that long") {
  hub::RoomSettings settings;
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

TEST_CASE_FIXTURE(
    Fixture, "presence: when rooms take too much memory, one whose members are all gone may be forgotten") {
  join("ada").reset();
  hub.set_limits({1, 1});
  CHECK(hub.rooms() == 0);
  pass(grace_ms);
  CHECK(here() == "0: +0");
}

TEST_CASE_FIXTURE(Fixture, "hub: rooms are occupied from their first member to their last") {
  CHECK(hub.occupied_rooms() == 0);
  auto a = join("");
  auto b = join("b");
  const auto elsewhere = std::make_unique<Client>(*this, "", false, "attic");
  hub.publish("cellar", {hub::Kind::text, base::FrameRef::copy_of("x"), {}, 0});
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

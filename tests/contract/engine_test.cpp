// What every engine has to keep (hub/engine.h), over each that there is: the memory engine, and one that
// answers late, the durable engine, and the Redis engine over a model of Redis and over a real one. A further
// engine is one more rig.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/durable.h"
#include "engine/memory.h"
#include "store/store.h"
#include "support/durable_engine.h"
#include "support/fake_clock.h"
#include "support/late_engine.h"
#include "support/loop_fixture.h"
#include "support/redis_engine.h"
#include "support/redis_node.h"
#include "support/temporary_directory.h"

using namespace roomcast;

namespace {

/// Records what an engine answers, and holds it to the order that it promises.
class Witness final : public hub::EngineEvents {
 public:
  struct Room {
    std::optional<hub::LogState> log;  // once it has been said where it stands
    std::optional<hub::Refusal> refusal;
    std::vector<hub::Message> messages;
    std::vector<hub::Amendment> amendments;
    hub::Position last;
    bool is_wanted = false;
  };

  void on_subscribed(std::string_view room, const hub::LogState& log) override {
    Room& found = wanted(room);
    CHECK_FALSE(found.log);
    CHECK(log.top.epoch != 0);
    CHECK((log.floor == hub::LogState::no_past || log.floor <= log.top.offset));
    found.log = log;
    found.last = log.top;
  }
  void on_subscribe_refused(std::string_view room, const hub::Refusal& refusal) override {
    Room& found = wanted(room);
    CHECK_FALSE(found.log);
    CHECK_FALSE(refusal.message.empty());
    found.refusal = refusal;
    found.is_wanted = false;
  }
  void on_message(std::string_view room, hub::Message&& message) override {
    Room& found = wanted(room);
    REQUIRE(found.log);
    CHECK(message.position == hub::Position{found.last.epoch, found.last.offset + 1});
    found.last = message.position;
    found.messages.push_back(std::move(message));
  }
  void on_amended(std::string_view room, hub::Amendment&& amendment) override {
    Room& found = wanted(room);
    REQUIRE(found.log);
    CHECK(amendment.message.position.epoch == found.last.epoch);
    CHECK(amendment.message.position.offset <= found.last.offset);
    found.amendments.push_back(std::move(amendment));
  }
  void on_lost(std::string_view room) override { CHECK(wanted(room).log); }
  void on_resumed(std::string_view room, const hub::LogState& log) override { wanted(room).last = log.top; }
  void on_published(hub::Ticket ticket, const hub::PublishOutcome& outcome) override {
    CHECK(ticket != 0);
    CHECK(outcomes.emplace(ticket, outcome).second);
  }
  void on_page(hub::Ticket ticket, hub::ReadOutcome&& outcome) override {
    CHECK(pages.emplace(ticket, std::move(outcome)).second);
  }

  std::map<std::string, Room, std::less<>> rooms;
  std::map<hub::Ticket, hub::PublishOutcome> outcomes;
  std::map<hub::Ticket, hub::ReadOutcome> pages;

 private:
  Room& wanted(std::string_view room) {
    Room& found = rooms[std::string(room)];
    CHECK(found.is_wanted);
    return found;
  }
};

struct MemoryRig {
  hub::Engine& engine() { return memory; }
  void settle() {}
  test::FakeClock clock;
  engine::Memory memory{clock};
};

struct LateRig {
  hub::Engine& engine() { return late; }
  void settle() { late.answer(); }
  test::LateEngine late;
};

/// One that takes publishes for rooms that are not subscribed.
struct OpenLateRig : LateRig {
  OpenLateRig() { late.takes_unsubscribed = true; }
};

template <hub::Durability durability>
struct DurableRig {
  hub::Engine& engine() { return durable.engine; }
  void settle() { durable.settle(); }
  test::FakeClock clock;
  test::FakeRoomStore store;
  test::DurableEngine durable{store, durability, clock};
};
/// The same over files in a directory.
template <hub::Durability durability>
struct StoreRig {
  StoreRig() {
    store::StoreOptions options;
    options.path = directory.file("store");
    options.commit_ms = 0;
    auto opened = store::Store::open({loop.loop, loop.turn, log}, options, test::rules_of(durability));
    if (!opened) throw std::runtime_error(opened.error().message);
    files = std::move(*opened);
    durable.emplace(engine::Durable::Parts{*files, loop.loop, loop.deadlines, loop.turn, log},
                    test::rules_of(durability), engine::Durable::Limits{});
  }
  hub::Engine& engine() { return *durable; }
  void settle() {
    CHECK(loop.run_until([&] { return durable->waiting() == 0 && files->queued_bytes() == 0; }));
  }
  test::TemporaryDirectory directory;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  test::LoopFixture loop;
  std::unique_ptr<store::Store> files;
  std::optional<engine::Durable> durable;
};
struct RedisRig {
  RedisRig() {}
  hub::Engine& engine() { return node.engine; }
  void settle() {
    node.port.connect();
    node.settle();
  }
  test::FakeClock clock;
  test::FakeRedis redis;
  test::RedisEngine node{redis, clock, 1};
};
/// The same over a real server.
struct RealRedisRig {
  hub::Engine& engine() { return node.engine; }
  void settle() {
    CHECK(sockets.run_until([&] { return node.is_in_step(); }));
  }
  test::RedisServer server;
  test::SocketFixture sockets;
  test::RedisNode node{sockets, server.path(), 1};
};
using SyncFilesRig = StoreRig<hub::Durability::sync>;
using AsyncFilesRig = StoreRig<hub::Durability::async>;
using SyncRig = DurableRig<hub::Durability::sync>;
using AsyncRig = DurableRig<hub::Durability::async>;

template <class Rig>
struct Fixture {
  Fixture() { rig.engine().start(witness); }
  void subscribe(std::string_view room) {
    witness.rooms[std::string(room)].is_wanted = true;
    rig.engine().subscribe(room);
  }
  void unsubscribe(std::string_view room) {
    rig.engine().unsubscribe(room);
    witness.rooms[std::string(room)] = {};
  }
  void publish(std::string_view room, std::string_view payload, hub::Ticket ticket) {
    rig.engine().publish(room, {hub::Kind::text, base::Bytes::copy_of(payload), {}, 7}, ticket);
  }
  Witness::Room& room(std::string_view name) { return witness.rooms.find(name)->second; }

  Witness witness;
  Rig rig;
};

}  // namespace

#define EACH_ENGINE(name)                                                                       \
  TEST_CASE_TEMPLATE("engines: " name, Rig, MemoryRig, LateRig, OpenLateRig, SyncRig, AsyncRig, \
                     SyncFilesRig, AsyncFilesRig, RedisRig, RealRedisRig)

EACH_ENGINE("a subscription is answered with the state of the log, once") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.subscribe("b");
  f.rig.settle();
  REQUIRE(f.room("a").log);
  CHECK(f.room("a").log->top.offset == 0);
  CHECK(f.room("b").log);
}

EACH_ENGINE("publishes get places that follow each other, in the order of the calls, and one outcome each") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  for (hub::Ticket ticket = 1; ticket <= 50; ++ticket)
    f.publish("a", std::to_string(ticket), ticket);
  f.rig.settle();
  REQUIRE(f.room("a").messages.size() == 50);
  REQUIRE(f.witness.outcomes.size() == 50);
  for (hub::Ticket ticket = 1; ticket <= 50; ++ticket) {
    const hub::Message& message = f.room("a").messages[ticket - 1];
    CHECK(message.payload.view() == std::to_string(ticket));
    CHECK(message.sender == 7);
    REQUIRE(f.witness.outcomes.at(ticket).ok());
    CHECK(f.witness.outcomes.at(ticket)->position == message.position);
  }
}

EACH_ENGINE("a publish without a ticket has a place and no outcome") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  f.publish("a", "x", 0);
  f.rig.settle();
  CHECK(f.room("a").messages.size() == 1);
  CHECK(f.witness.outcomes.empty());
}

EACH_ENGINE(
    "what is published before the room is open is behind its top or part of it, in any case counted") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.publish("a", "x", 1);
  f.publish("a", "y", 2);
  f.rig.settle();
  CHECK(f.room("a").last.offset == 2);
  CHECK(f.witness.outcomes.size() == 2);
}

EACH_ENGINE("rooms do not share their places") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.subscribe("b");
  f.rig.settle();
  f.publish("a", "x", 1);
  f.publish("b", "y", 2);
  f.publish("a", "z", 3);
  f.rig.settle();
  CHECK(f.room("a").last.offset == 2);
  CHECK(f.room("b").last.offset == 1);
  CHECK(f.room("b").messages[0].payload.view() == "y");
}

EACH_ENGINE("nothing comes of a room that is not wanted any more, also if it was never open") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.unsubscribe("a");
  f.subscribe("b");
  f.rig.settle();
  f.unsubscribe("b");
  f.rig.settle();
  CHECK_FALSE(f.room("a").log);
  CHECK(f.room("b").messages.empty());
}

EACH_ENGINE("a room that is wanted again never gives a place twice") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  f.publish("a", "x", 1);
  f.rig.settle();
  const hub::Position before = f.room("a").last;
  f.unsubscribe("a");
  f.subscribe("a");
  f.rig.settle();
  REQUIRE(f.room("a").log);
  const hub::Position again = f.room("a").log->top;
  CHECK((again.epoch != before.epoch || again.offset >= before.offset));
}

EACH_ENGINE("a past that is claimed can be read: in order, without a hole, as much as was asked for") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  for (int i = 1; i <= 30; ++i)
    f.publish("a", std::to_string(i), 0);
  f.rig.settle();
  const hub::Position top = f.room("a").last;
  f.rig.engine().read("a", {top.epoch, 5}, 10, 1'000'000, 1);
  f.rig.engine().read("a", top, 10, 1'000'000, 2);
  f.rig.settle();
  REQUIRE(f.witness.pages.size() == 2);
  const hub::ReadOutcome& page = f.witness.pages.at(1);
  REQUIRE(page.ok());
  CHECK(f.witness.pages.at(2)->messages.empty());
  if (f.room("a").log->floor == hub::LogState::no_past) return;
  REQUIRE(page->messages.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(page->messages[i].position == hub::Position{top.epoch, 6 + i});
    CHECK(page->messages[i].payload.view() == std::to_string(6 + i));
  }
}

EACH_ENGINE("a message comes back with what it was published with") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  hub::Draft draft{hub::Kind::json, base::Bytes::copy_of("{}"), hub::Author("Ada", "user:ada"), 7, 9};
  draft.labels = hub::Labels("tick", {{"k", "v"}});
  f.rig.engine().publish("a", std::move(draft), 1);
  f.rig.settle();
  REQUIRE(f.room("a").messages.size() == 1);
  const hub::Message& message = f.room("a").messages[0];
  CHECK(message.kind == hub::Kind::json);
  CHECK(message.payload.view() == "{}");
  CHECK(message.author == hub::Author("Ada", "user:ada"));
  CHECK(message.source == 9);
  CHECK(message.labels.event() == "tick");
}

EACH_ENGINE(
    "a message is removed or replaced in its place, behind those that came before, with one outcome") {
  using What = hub::Amendment::What;
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  for (int i = 1; i <= 3; ++i)
    f.publish("a", std::to_string(i), 0);
  f.rig.settle();
  const std::uint64_t epoch = f.room("a").last.epoch;
  f.rig.engine().remove("a", {epoch, 1}, 1);
  f.rig.engine().replace("a", {epoch, 2}, {hub::Kind::text, base::Bytes::copy_of("two"), hub::Author("Eve")},
                         2);
  f.rig.engine().remove("a", {epoch, 3}, 0);
  f.rig.settle();
  REQUIRE(f.witness.outcomes.size() == 2);
  CHECK(f.witness.outcomes.at(1)->position == hub::Position{epoch, 1});
  CHECK(f.witness.outcomes.at(2)->position == hub::Position{epoch, 2});
  const std::vector<hub::Amendment>& amendments = f.room("a").amendments;
  REQUIRE(amendments.size() == 3);
  CHECK(amendments[0].what == What::removed);
  CHECK(amendments[0].message.position == hub::Position{epoch, 1});
  CHECK(amendments[1].what == What::replaced);
  CHECK(amendments[1].message.position == hub::Position{epoch, 2});
  CHECK(amendments[1].message.payload.view() == "two");
  CHECK(amendments[1].message.author == hub::Author("Eve"));
  CHECK(amendments[2].message.position == hub::Position{epoch, 3});
  f.publish("a", "4", 3);
  f.rig.settle();
  // Amendments may have taken places of their own.
  CHECK(f.witness.outcomes.at(3)->position == f.room("a").last);
  CHECK(f.room("a").last.offset >= 4);
}

EACH_ENGINE("what was removed or replaced is read as its place, or as what it is") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  if (f.room("a").log->floor == hub::LogState::no_past) return;
  for (int i = 1; i <= 3; ++i)
    f.publish("a", std::to_string(i), 0);
  f.rig.settle();
  const std::uint64_t epoch = f.room("a").last.epoch;
  f.rig.engine().remove("a", {epoch, 1}, 0);
  f.rig.engine().replace("a", {epoch, 2}, {hub::Kind::text, base::Bytes::copy_of("two"), {}}, 0);
  f.rig.settle();
  f.rig.engine().read("a", {epoch, 0}, 10, 1'000'000, 1);
  f.rig.settle();
  REQUIRE(f.witness.pages.at(1).ok());
  const std::vector<hub::Message>& messages = f.witness.pages.at(1)->messages;
  REQUIRE(messages.size() >= 3);
  CHECK(messages[0].is_removed);
  CHECK(messages[0].payload.empty());
  CHECK(messages[0].position == hub::Position{epoch, 1});
  CHECK(messages[1].payload.view() == "two");
  CHECK(messages[2].payload.view() == "3");
  for (std::size_t i = 3; i < messages.size(); ++i)
    CHECK(messages[i].is_removed);  // places that the amendments have taken
}

EACH_ENGINE("a message that there never was can't be removed or replaced") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  f.publish("a", "1", 0);
  f.rig.settle();
  const std::uint64_t epoch = f.room("a").last.epoch;
  f.rig.engine().remove("a", {epoch, 2}, 1);
  f.rig.engine().replace("a", {epoch, 0}, {hub::Kind::text, base::Bytes::copy_of("x"), {}}, 2);
  f.rig.engine().remove("a", {epoch + 1, 1}, 3);
  f.rig.settle();
  for (hub::Ticket ticket = 1; ticket <= 3; ++ticket) {
    REQUIRE_FALSE(f.witness.outcomes.at(ticket).ok());
    CHECK(f.witness.outcomes.at(ticket).error().code == hub::Refusal::Code::not_found);
  }
  CHECK(f.room("a").amendments.empty());
}

EACH_ENGINE("a cleared room has nothing to be read, and goes on where it was") {
  Fixture<Rig> f;
  f.subscribe("a");
  f.rig.settle();
  for (int i = 1; i <= 3; ++i)
    f.publish("a", std::to_string(i), 0);
  f.rig.settle();
  const hub::Position top = f.room("a").last;
  f.rig.engine().clear("a", 1);
  f.publish("a", "4", 2);
  f.rig.settle();
  f.rig.engine().read("a", {top.epoch, 0}, 10, 1'000'000, 3);
  f.rig.settle();
  CHECK(f.witness.outcomes.at(1)->position == top);
  CHECK(f.witness.outcomes.at(2)->position == f.room("a").last);
  REQUIRE(f.room("a").amendments.size() == 1);
  CHECK(f.room("a").amendments[0].what == hub::Amendment::What::cleared);
  CHECK(f.room("a").amendments[0].message.position == top);
  if (f.room("a").log->floor == hub::LogState::no_past) return;
  const hub::ReadOutcome& page = f.witness.pages.at(3);
  CHECK(page->floor == 3);
  REQUIRE_FALSE(page->messages.empty());
  CHECK(page->messages.back().payload.view() == "4");
  CHECK(std::count_if(page->messages.begin(), page->messages.end(),
                      [](const hub::Message& message) { return !message.is_removed; }) == 1);
}

EACH_ENGINE("a publish into a room that is not subscribed has its position like any other, if it is taken") {
  Fixture<Rig> f;
  if (!f.rig.engine().publishes_unsubscribed()) return;
  f.publish("a", "x", 1);
  f.publish("a", "y", 2);
  f.rig.settle();
  REQUIRE(f.witness.outcomes.size() == 2);
  REQUIRE(f.witness.outcomes.at(2).ok());
  CHECK(f.witness.outcomes.at(1)->position.offset + 1 == f.witness.outcomes.at(2)->position.offset);
  f.subscribe("a");
  f.rig.settle();
  REQUIRE(f.room("a").log);
  CHECK(f.room("a").log->top == f.witness.outcomes.at(2)->position);
  CHECK(f.room("a").messages.empty());
}

TEST_CASE("engines: one that can't be reached refuses with words, and may be asked again") {
  Fixture<LateRig> f;
  f.rig.late.refuses = true;
  f.subscribe("a");
  f.rig.settle();
  REQUIRE(f.room("a").refusal);
  CHECK(f.room("a").refusal->code == hub::Refusal::Code::unavailable);
  f.rig.late.refuses = false;
  f.subscribe("a");
  f.rig.settle();
  CHECK(f.room("a").log);
}

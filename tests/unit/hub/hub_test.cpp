#include "hub/hub.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/hub_fixture.h"

namespace hub_test {

using namespace roomcast;

namespace {

hub::Draft text(std::string_view payload, hub::SubscriberId sender = 0) {
  return {hub::Kind::text, base::Bytes::copy_of(payload), {}, sender};
}

struct BracketEncoder final : hub::Encoder {
  std::size_t encode(std::string_view /*room*/, const hub::Message& message,
                     std::string& out) const override {
    ++encoded;
    out += '[';
    out += message.payload.view();
    out += ']';
    return 0;
  }
  mutable int encoded = 0;
};

struct Listener final : hub::Subscriber {
  explicit Listener(const hub::Encoder& e) : encoder(e) {}
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override {
    const base::Bytes wire = batch.wire(encoder, from, batch.messages().size());
    heard += wire.view();
    last = wire;
  }
  const hub::Encoder& encoder;
  std::string heard;
  base::Bytes last;
};

struct Fixture : test::HubFixture<> {
  BracketEncoder encoder;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "hub: a message reaches every subscriber of its room once, and no other room") {
  Listener a(encoder);
  Listener b(encoder);
  Listener elsewhere(encoder);
  const auto in_a = hub.subscribe("lobby", a);
  const auto in_b = hub.subscribe("lobby", b);
  const auto in_c = hub.subscribe("attic", elsewhere);
  hub.publish("lobby", text("x"));
  hub.publish("lobby", text("y"));
  CHECK(a.heard.empty());  // never with the publisher on the stack
  scheduler.run_turn(hub);
  CHECK(a.heard == "[x][y]");
  CHECK(b.heard == "[x][y]");
  CHECK(elsewhere.heard.empty());
}

TEST_CASE_FIXTURE(Fixture, "hub: the messages of a turn are encoded once and shared as one block of bytes") {
  Listener a(encoder);
  Listener b(encoder);
  const auto in_a = hub.subscribe("lobby", a);
  const auto in_b = hub.subscribe("lobby", b);
  hub.publish("lobby", text("x"));
  hub.publish("lobby", text("y"));
  scheduler.run_turn(hub);
  CHECK(encoder.encoded == 2);
  CHECK(a.last.view().data() == b.last.view().data());
  CHECK(a.last.use_count() == 2);  // the batch has released it
}

TEST_CASE_FIXTURE(Fixture,
                  "hub: a member that joins between a publish and its delivery gets only later messages") {
  Listener early(encoder);
  Listener late(encoder);
  const auto in_early = hub.subscribe("lobby", early);
  hub.publish("lobby", text("before"));
  const auto in_late = hub.subscribe("lobby", late);
  hub.publish("lobby", text("after"));
  scheduler.run_turn(hub);
  CHECK(early.heard == "[before][after]");
  CHECK(late.heard == "[after]");
}

TEST_CASE_FIXTURE(Fixture,
                  "hub: a room is created on first use and forgotten its history's age after the last") {
  Listener a(encoder);
  auto first = hub.subscribe("lobby", a);
  Listener b(encoder);
  auto second = hub.subscribe("lobby", b);
  CHECK(hub.rooms() == 1);
  CHECK(hub.subscribers("lobby") == 2);
  first.reset();
  second.reset();
  CHECK(hub.subscribers("lobby") == 0);
  pass(599'999);
  CHECK(hub.rooms() == 1);
  pass(1);
  CHECK(hub.rooms() == 0);
  CHECK(hub.history_bytes() == 0);
  CHECK(engine.log == std::vector<std::string>{"+lobby", "-lobby"});
}

TEST_CASE_FIXTURE(Fixture, "hub: a room without members keeps its messages until they are too old") {
  hub.publish("lobby", text("x"));
  pass(300'000);
  hub.publish("lobby", text("y"));
  pass(300'000);
  Listener a(encoder);
  auto member = hub.subscribe("lobby", a, {std::nullopt, 100});
  scheduler.run_turn(hub);
  CHECK(a.heard == "[y]");
  member.reset();
  pass(599'999);
  CHECK(hub.rooms() == 1);
  pass(1);
  CHECK(hub.rooms() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub: large rooms are fanned out to in slices, and members may come and go between them") {
  constexpr std::size_t count = 1000;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<hub::Membership>> members;
  for (std::size_t i = 0; i < count; ++i) {
    listeners.push_back(std::make_unique<Listener>(encoder));
    members.push_back(hub.subscribe("lobby", *listeners.back()));
  }
  scheduler.run_turn(hub);
  hub.publish("lobby", text("x"));
  CHECK(hub.do_slice());  // not done yet
  CHECK(listeners.front()->heard == "[x]");
  CHECK(listeners.back()->heard.empty());

  members.front().reset();     // already served
  members[count - 2].reset();  // not served yet: must not be
  Listener late(encoder);
  const auto in_late = hub.subscribe("lobby", late);
  hub.publish("lobby", text("y"));  // belongs to the next fan-out
  scheduler.run_turn(hub);

  CHECK(listeners.front()->heard == "[x]");
  CHECK(listeners[count - 2]->heard.empty());
  CHECK(late.heard == "[y]");
  for (std::size_t i = 1; i < count; ++i) {
    if (i != count - 2) CHECK(listeners[i]->heard == "[x][y]");
  }
  CHECK(hub.subscribers("lobby") == count - 1);
  members.clear();
  CHECK(hub.subscribers("lobby") == 1);
}

TEST_CASE_FIXTURE(Fixture, "hub: a member of a large room knows whether it has got what came so far") {
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<hub::Membership>> members;
  for (int i = 0; i < 300; ++i) {
    listeners.push_back(std::make_unique<Listener>(encoder));
    members.push_back(hub.subscribe("lobby", *listeners.back()));
  }
  CHECK(members.back()->has_got(members.back()->room_top().offset));
  scheduler.run_turn(hub);
  hub.publish("lobby", text("x"));
  const std::uint64_t top = members.back()->room_top().offset;
  CHECK_FALSE(members.front()->has_got(top));
  CHECK(members.front()->has_got(top - 1));
  CHECK(hub.do_slice());
  CHECK(members.front()->has_got(top));
  CHECK_FALSE(members.back()->has_got(top));
  hub.publish("lobby", text("y"));
  CHECK_FALSE(members.front()->has_got(top + 1));
  Listener newcomer(encoder);
  const auto late = hub.subscribe("lobby", newcomer);
  CHECK(late->has_got(top + 1));
  while (!members.back()->has_got(top))
    hub.do_slice();
  CHECK(listeners.back()->heard.starts_with("[x]"));
  scheduler.run_turn(hub);
  CHECK(members.back()->has_got(top + 1));
}

TEST_CASE_FIXTURE(Fixture, "hub: a small room does not wait until a large one has been fanned out to") {
  std::vector<std::unique_ptr<Listener>> crowd;
  std::vector<std::unique_ptr<hub::Membership>> members;
  for (int i = 0; i < 1000; ++i) {
    crowd.push_back(std::make_unique<Listener>(encoder));
    members.push_back(hub.subscribe("arena", *crowd.back()));
  }
  Listener one(encoder);
  const auto in_one = hub.subscribe("booth", one);
  scheduler.run_turn(hub);
  hub.publish("arena", text("x"));
  hub.publish("booth", text("y"));
  hub.do_slice();
  hub.do_slice();
  CHECK(one.heard == "[y]");
  CHECK(crowd.back()->heard.empty());
}

TEST_CASE_FIXTURE(Fixture, "hub: a slice is about a hundred members, and is flushed before the next") {
  std::vector<std::unique_ptr<Listener>> crowd;
  std::vector<std::unique_ptr<hub::Membership>> members;
  for (int i = 0; i < 500; ++i) {
    crowd.push_back(std::make_unique<Listener>(encoder));
    members.push_back(hub.subscribe("arena", *crowd.back()));
  }
  scheduler.run_turn(hub);
  hub.publish("arena", text("x"));
  const auto reached = [&] {
    return std::count_if(crowd.begin(), crowd.end(), [](const auto& one) { return !one->heard.empty(); });
  };
  hub.do_slice();
  CHECK(reached() >= 64);
  CHECK(reached() <= 256);
  scheduler.run_turn(hub);
  CHECK(reached() == 500);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub: a publisher gets position and number of subscribers, at the end of the turn") {
  Listener a(encoder);
  const auto in_a = hub.subscribe("lobby", a);
  std::vector<hub::Receipt> receipts;
  hub.publish("lobby", text("x"), [&](const hub::PublishResult& result) { receipts.push_back(*result); });
  CHECK(receipts.empty());
  scheduler.run_turn(hub);
  REQUIRE(receipts.size() == 1);
  CHECK(receipts[0].position == hub::Position{1, 1});
  CHECK(receipts[0].subscribers == 1);
}

TEST_CASE_FIXTURE(Fixture, "hub: an engine may answer a publish turns later, and refuse it") {
  engine.hold_answers = true;
  int ok = 0;
  int refused = 0;
  const auto count = [&](const hub::PublishResult& result) { ++(result.ok() ? ok : refused); };
  hub.publish("lobby", text("x"), count);
  hub.publish("lobby", text("y"), count);
  scheduler.run_turn(hub);
  CHECK(ok + refused == 0);
  engine.events().on_published(engine.held[1], hub::Refusal{hub::Refusal::Code::timed_out, "late"});
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{1, 1}});
  // A second answer is ignored.
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{1, 1}});
  scheduler.run_turn(hub);
  CHECK(ok == 1);
  CHECK(refused == 1);
}

TEST_CASE_FIXTURE(Fixture, "hub: while memory is short every publish is refused with the limit's name") {
  std::string why;
  hub.set_overloaded(true);
  hub.publish("lobby", text("x"), [&](const hub::PublishResult& result) { why = result.error().message; });
  scheduler.run_turn(hub);
  CHECK(why.find("limits.memory_bytes") != std::string::npos);
}

}  // namespace hub_test

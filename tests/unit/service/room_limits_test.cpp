// What the rules of rooms and the rates say, as Rooms applies them.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/string_hash.h"
#include "service/room_pace.h"
#include "service/room_rules.h"
#include "service/rooms.h"
#include "support/hub_fixture.h"

namespace room_limits_test {

using namespace roomcast;
using hub::Kind;
using service::Caller;
using service::RoomPace;
using service::RoomRule;
using service::RoomRules;
using Code = base::Refusal::Code;

namespace {

struct Deaf final : hub::Subscriber {
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& /*batch*/, std::size_t /*from*/) override {}
};

access::Identity identity_of(access::Kind kind, std::string id) {
  access::Profile profile;
  profile.kind = kind;
  profile.id = std::move(id);
  // A key may what its line says.
  profile.grants.push_back({base::NamePattern("**"), access::PermissionSet::ordinary()});
  return access::Identity(std::move(profile));
}

struct Fixture : test::HubFixture<> {
  Fixture() { access.rates.set_clock(clock); }

  void rule(const RoomRule& rule, std::string_view pattern = "limited") {
    rooms.set_rules(RoomRules({}, {{std::string(pattern), rule}}), 1'000);
  }
  std::optional<base::Refusal> publish(std::string_view text, const Caller& caller = {},
                                       std::string_view room = "limited") {
    auto accepted = rooms.accept(caller, room, {Kind::text, text});
    if (!accepted) return accepted.error();
    rooms.publish(std::move(*accepted), {});
    return std::nullopt;
  }
  std::optional<Code> join(std::string_view room, const Caller& caller = {}) {
    std::unique_ptr<hub::Membership> place;
    const auto refusal = rooms.join(caller, room, deaf, {}, place);
    if (place) places.push_back(std::move(place));
    return refusal ? std::optional(refusal->code) : std::nullopt;
  }
  static Caller anonymous(std::string_view address, hub::SubscriberId session = 0) {
    return {access::Identity(), "", 7, address, session};
  }

  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms rooms{hub, publisher, access, service::Limits{100, 63}};
  Deaf deaf;
  std::vector<std::unique_ptr<hub::Membership>> places;
  const access::Identity ada = identity_of(access::Kind::user, "ada");
  const access::Identity key = identity_of(access::Kind::key, "ci");
};

}  // namespace

TEST_CASE("room rules: the first pattern that matches counts, also when it changes nothing") {
  RoomRule small;
  small.message_bytes = 5;
  RoomRule quiet;
  quiet.echo = false;
  const RoomRules rules(quiet, {{"a/**", small}, {"a/b", RoomRule{}}, {"c*", RoomRule{}}});
  for (int i = 0; i < 2; ++i) {  // looked up, and remembered
    CHECK(rules.find("a/b") == small);
    CHECK(rules.find("c1") == RoomRule{});
    CHECK(rules.find("other") == quiet);
  }
  CHECK_FALSE(rules.is_default());
  CHECK(RoomRules().is_default());
  CHECK(RoomRules({}, {{"a", RoomRule{}}}).is_default());
}

TEST_CASE("room rules: many more rooms than are remembered get their own") {
  RoomRule even;
  even.members_max = 2;
  const RoomRules rules({}, {{"*0", even}});
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5'000; ++i)
      CHECK((rules.find(std::to_string(i)).members_max == 2) == (i % 10 == 0));
  }
}

TEST_CASE_FIXTURE(Fixture, "room limits: as many members as the room may have, and not one more") {
  RoomRule two;
  two.members_max = 2;
  rule(two);
  CHECK_FALSE(join("limited"));
  CHECK_FALSE(join("limited"));
  CHECK(join("limited") == Code::room_full);
  CHECK(rooms.check_join({}, "limited")->message == "the room is full: rooms.members_max allows 2");
  CHECK_FALSE(join("other"));
  places.erase(places.begin());
  CHECK_FALSE(join("limited"));
}

TEST_CASE_FIXTURE(Fixture, "room limits: a message of the size that the room takes, and one byte more") {
  RoomRule small;
  small.message_bytes = 5;
  rule(small);
  CHECK_FALSE(publish("12345"));
  const auto refusal = publish("123456");
  REQUIRE(refusal);
  CHECK(refusal->code == Code::message_too_big);
  CHECK(refusal->message == "the message has 6 bytes, rooms.message_bytes allows 5");
  CHECK_FALSE(publish("123456", {}, "other"));
  small.message_bytes = 200;  // more than limits.message_bytes
  rule(small);
  CHECK_FALSE(publish(std::string(100, 'x')));
  CHECK(publish(std::string(101, 'x'))->code == Code::message_too_big);
}

TEST_CASE_FIXTURE(Fixture, "room limits: only keys publish where only keys may, one message or many") {
  RoomRule keys;
  keys.publish_only_keys = true;
  rule(keys);
  CHECK(publish("x")->code == Code::publish_only_keys);
  CHECK(publish("x", {ada, "", 0})->code == Code::publish_only_keys);
  CHECK_FALSE(publish("x", {key, "", 0}));
  const auto payload = rooms.check({Kind::text, "x"});
  REQUIRE(payload);
  CHECK(rooms.accept({ada, "", 0}, "limited", *payload, "").error().code == Code::publish_only_keys);
}

TEST_CASE_FIXTURE(Fixture, "room limits: messages a second are those of all publishers together") {
  RoomRule paced;
  paced.messages_per_second = 4;
  rule(paced);
  for (int i = 0; i < 4; ++i)
    CHECK_FALSE(publish("x", anonymous("192.0.2." + std::to_string(i))));
  const auto refusal = publish("x", {ada, "", 0});
  REQUIRE(refusal);
  CHECK(refusal->code == Code::rate_limited);
  CHECK(refusal->retry_ms == 250);
  clock.advance(249);
  CHECK(publish("x")->retry_ms == 1);
  clock.advance(1);
  CHECK_FALSE(publish("x"));
  CHECK(publish("x"));
  CHECK_FALSE(publish("x", {}, "other"));
}

TEST_CASE_FIXTURE(Fixture,
                  "room limits: slow mode lets each publish once in its time, and says how long is left") {
  RoomRule slow;
  slow.slow_mode_ms = 10'000;
  rule(slow, "limited*");
  CHECK_FALSE(publish("x", {ada, "", 0}));
  clock.advance(4'000);
  CHECK(publish("x", {ada, "", 0})->retry_ms == 6'000);
  CHECK(publish("x", {ada, "", 0, "192.0.2.1", 55})->retry_ms == 6'000);  // one user, whatever the connection
  CHECK_FALSE(publish("x", {ada, "", 0}, "limited2"));
  CHECK_FALSE(publish("x", anonymous("192.0.2.1", 1)));
  CHECK_FALSE(publish("x", anonymous("192.0.2.1", 2)));
  CHECK(publish("x", anonymous("192.0.2.1", 2))->retry_ms == 10'000);
  CHECK_FALSE(publish("x", anonymous("192.0.2.1")));
  CHECK(publish("x", anonymous("192.0.2.1"))->retry_ms == 10'000);
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(publish("x", {key, "", 0}));
  clock.advance(5'999);
  CHECK(publish("x", {ada, "", 0})->retry_ms == 1);
  clock.advance(1);
  CHECK_FALSE(publish("x", {ada, "", 0}));
}

TEST_CASE_FIXTURE(Fixture,
                  "room limits: what one limit refuses counts for no other, and the longer wait is said") {
  RoomRule slow;
  slow.slow_mode_ms = 10'000;
  rule(slow);
  access::Rates::Limits limits;
  limits.user[static_cast<std::size_t>(access::Resource::publishes)] = 1;
  limits.burst_ms = 2'000;
  access.rates.set_limits(limits);
  CHECK_FALSE(publish("x", {ada, "", 0}));
  for (int i = 0; i < 5; ++i)
    CHECK(publish("x", {ada, "", 0})->retry_ms == 10'000);
  CHECK_FALSE(publish("x", {ada, "", 0}, "other"));
  CHECK(publish("x", {ada, "", 0}, "other")->message == "rates.user_publishes_per_second allows 1");
  clock.advance(10'000);
  CHECK_FALSE(publish("x", {ada, "", 0}, "other"));
  CHECK_FALSE(publish("x", {ada, "", 0}, "other"));
  CHECK(publish("x", {ada, "", 0})->message == "rates.user_publishes_per_second allows 1");
  clock.advance(1'000);
  CHECK_FALSE(publish("x", {ada, "", 0}));
}

TEST_CASE_FIXTURE(Fixture, "room limits: joins count when they happen, not when they are asked about") {
  access::Rates::Limits limits;
  limits.address[static_cast<std::size_t>(access::Resource::joins)] = 1;
  limits.burst_ms = 2'000;
  access.rates.set_limits(limits);
  const Caller caller = anonymous("192.0.2.1");
  for (int i = 0; i < 5; ++i)
    CHECK_FALSE(rooms.check_join(caller, "room"));
  CHECK_FALSE(join("room", caller));
  CHECK_FALSE(join("room", caller));
  CHECK(join("room", caller) == Code::rate_limited);
  CHECK(rooms.check_join(caller, "room")->retry_ms == 1'000);
  CHECK_FALSE(rooms.check_join(caller, std::nullopt));
}

TEST_CASE("room pace: as many slow publishers as are promised are all remembered") {
  RoomPace pace;
  RoomRule slow;
  slow.slow_mode_ms = 60'000;
  const auto publisher = [](std::size_t i) {
    return RoomPace::Publisher{base::StringHash{}(std::to_string(i)), 1'000'000'000};
  };
  for (std::size_t i = 0; i < RoomPace::slow_publishers; ++i)
    pace.spend("room", slow, publisher(i));
  std::size_t forgotten = 0;
  for (std::size_t i = 0; i < RoomPace::slow_publishers; ++i) {
    if (!pace.check("room", slow, publisher(i))) ++forgotten;
  }
  CHECK(forgotten == 0);
  for (std::size_t i = 0; i < 1'000'000; ++i)
    pace.spend("room" + std::to_string(i % 1'000), slow, publisher(i));
  CHECK(pace.bytes() <= std::size_t{2} << 20U);
}

}  // namespace room_limits_test

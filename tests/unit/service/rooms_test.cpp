#include "service/rooms.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/hub_fixture.h"

namespace rooms_test {

using namespace roomcast;
using hub::Kind;
using service::Caller;
using service::Checked;
using service::RawPayload;
using Code = base::Refusal::Code;

namespace {

/// Keeps what a room delivers.
struct Hearer final : hub::Subscriber {
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override {
    for (const hub::Message& message : batch.messages().subspan(from))
      messages.push_back(message);
  }
  std::vector<hub::Message> messages;
};

Caller called(std::string_view name) { return {{}, name, 7}; }

struct Fixture : test::HubFixture<> {
  Fixture() { rooms.set_limits({20, 3}); }

  std::optional<Code> join(std::string_view room, const Caller& caller = {}) {
    std::unique_ptr<hub::Membership> place;
    const auto refusal = rooms.join(caller, room, hearer, {}, place);
    CHECK((place == nullptr) == refusal.has_value());
    if (place) places.push_back(std::move(place));
    return code_of(refusal);
  }
  /// Publishes; says why not, or what became of it later.
  std::optional<Code> publish(std::string_view room, const RawPayload& payload, std::string_view key = {},
                              const Caller& caller = {}) {
    auto accepted = rooms.accept(caller, room, payload, key);
    if (!accepted) return accepted.error().code;
    std::optional<hub::PublishResult> outcome;
    rooms.publish(std::move(*accepted), [&outcome](const hub::PublishResult& result) { outcome = result; });
    CHECK_FALSE(outcome);
    turn();
    REQUIRE(outcome);
    return *outcome ? std::nullopt : std::optional(outcome->error().code);
  }
  std::optional<Code> read(std::string_view room) {
    std::optional<hub::HistoryResult> page;
    rooms.read_history({}, room, std::nullopt, 10,
                       [&page](const hub::HistoryResult& result) { page.emplace(result); });
    REQUIRE(page);
    if (!*page) return page->error().code;
    read_messages = (*page)->messages.size();
    return std::nullopt;
  }
  static std::optional<Code> code_of(const std::optional<base::Refusal>& refusal) {
    return refusal ? std::optional(refusal->code) : std::nullopt;
  }
  void leave_no_space() {
    hub::HubLimits none = part::hub_limits({});
    none.room_bytes = 0;
    hub.set_limits(none);
  }

  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms rooms{hub, publisher, access, service::Limits{20, 63}};
  Hearer hearer;
  std::vector<std::unique_ptr<hub::Membership>> places;
  std::size_t read_messages = 0;
};

const RawPayload hi{Kind::text, "hi"};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "rooms: a client joins under its name, wherever its membership is kept") {
  CHECK_FALSE(join("lobby", called("ada")));
  service::HomeRoom embedded;
  CHECK_FALSE(rooms.join(called("bob"), "lobby", hearer, {}, embedded));
  turn();
  const auto* const membership = std::get_if<hub::Membership>(&embedded);
  REQUIRE(membership != nullptr);
  CHECK(rooms.subscribers("lobby") == 2);
  CHECK(rooms.listed("lobby") == 2);
  const auto presence = rooms.presence({}, "lobby");
  REQUIRE(presence);
  CHECK(presence->count == 2);
  CHECK(rooms.presence(*membership).count == 2);
}

TEST_CASE_FIXTURE(Fixture, "rooms: a join is refused for a name, at its limit and past it") {
  CHECK_FALSE(join(std::string(200, 'r'), called(std::string(100, 'n'))));
  CHECK(join(std::string(201, 'r')) == Code::bad_room_name);
  CHECK(join("") == Code::bad_room_name);
  CHECK(join("lobby", called(std::string(101, 'n'))) == Code::bad_client_name);
  CHECK(join("lobby", called("a\n")) == Code::bad_client_name);
  CHECK(rooms.subscribers("lobby") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "rooms: a join is refused while memory is short or there is no space for the room") {
  SUBCASE("memory is short") {
    hub.set_overloaded(true);
    CHECK(join("lobby") == Code::overloaded);
    CHECK(code_of(rooms.check_join({}, std::nullopt)) == Code::overloaded);
    hub.set_overloaded(false);
  }
  SUBCASE("no space") {
    CHECK_FALSE(join("known"));
    leave_no_space();
    CHECK(join("lobby") == Code::overloaded);
    CHECK_FALSE(join("known"));
    CHECK_FALSE(rooms.check_join({}, std::nullopt));
    hub.set_limits(limits);
  }
  CHECK_FALSE(join("lobby"));
}

TEST_CASE_FIXTURE(Fixture, "rooms: what is asked before a join is what the join asks") {
  CHECK_FALSE(rooms.check_join(called("ada"), "lobby"));
  CHECK_FALSE(rooms.check_join(called("ada"), std::nullopt));
  CHECK(code_of(rooms.check_join({}, "/")) == Code::bad_room_name);
  CHECK(code_of(rooms.check_join(called("\x01"), std::nullopt)) == Code::bad_client_name);
  CHECK(engine.log.empty());  // no room was made
}

TEST_CASE_FIXTURE(Fixture, "rooms: a message carries its kind, bytes, and what is known of its sender") {
  CHECK_FALSE(join("lobby"));
  CHECK_FALSE(publish("lobby", hi, {}, called("ada")));
  REQUIRE(hearer.messages.size() == 1);
  const hub::Message& message = hearer.messages.front();
  CHECK(message.kind == Kind::text);
  CHECK(message.payload.view() == "hi");
  CHECK(message.author.name() == "ada");
  CHECK(engine.sources == std::vector<hub::Source>{7});
}

TEST_CASE(
    "rooms: a user has the name of its identity, a key may give one, and anonymous ones what they like") {
  const auto identity = [](access::Kind kind, std::string name) {
    access::Profile profile;
    profile.kind = kind;
    profile.id = "ada";
    profile.name = std::move(name);
    return access::Identity(std::move(profile));
  };
  CHECK(service::author_of({}, "Eve") == hub::Author("Eve"));
  CHECK(service::author_of({}, "").empty());
  const access::Identity user = identity(access::Kind::user, "Ada L.");
  CHECK(service::author_of(user, "Eve") == hub::Author("Ada L.", "user:ada"));
  CHECK(service::author_of(user, "") == hub::Author("Ada L.", "user:ada"));
  CHECK(service::author_of(identity(access::Kind::user, ""), "Eve") == hub::Author("ada", "user:ada"));
  const access::Identity key = identity(access::Kind::key, "");
  CHECK(service::author_of(key, "") == hub::Author("ada", "key:ada"));
  CHECK(service::author_of(key, "Build") == hub::Author("Build", "key:ada"));
}

TEST_CASE_FIXTURE(Fixture, "rooms: the name that a user asks for is ignored, and so not refused") {
  access::Profile profile;
  profile.id = "ada";
  const Caller user(access::Identity(std::move(profile)), std::string(101, 'n'), 7);
  CHECK_FALSE(join("lobby", user));
  CHECK(hub.presence("lobby").members == std::vector<hub::Author>{hub::Author("ada", "user:ada")});
  CHECK_FALSE(publish("lobby", hi, {}, user));
  CHECK(hearer.messages.at(0).author == hub::Author("ada", "user:ada"));
}

TEST_CASE_FIXTURE(Fixture, "rooms: who may not moderate removes nothing, not even its own") {
  CHECK_FALSE(publish("lobby", hi, {}, called("ada")));
  access::Profile profile;
  profile.id = "ada";
  const Caller user(access::Identity(std::move(profile)), "", 7);
  const hub::Position position = engine.top("lobby");
  std::vector<Code> refused;
  const auto note = [&refused](const hub::PublishResult& result) {
    REQUIRE_FALSE(result);
    refused.push_back(result.error().code);
  };
  rooms.remove_message(called("ada"), "lobby", position, note);
  rooms.replace_message(user, "lobby", position, hi, note);
  rooms.clear_room(user, "lobby", note);
  rooms.remove_message(user, "/", position, note);
  rooms.clear_room(called("ada"), "lobby", {});
  CHECK(refused.empty());  // not from within the calls
  turn();
  CHECK(refused == std::vector{Code::unauthorized, Code::forbidden, Code::forbidden, Code::bad_room_name});
  CHECK(engine.amended == 0);
}

TEST_CASE_FIXTURE(Fixture, "rooms: a moderator removes, replaces and clears") {
  CHECK_FALSE(join("lobby"));
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(publish("lobby", hi));
  access::Profile profile;
  profile.id = "mod";
  profile.grants.push_back({base::NamePattern("lobby"), {access::Permission::moderate}});
  const Caller moderator(access::Identity(std::move(profile)), "", 7);
  std::string outcomes;
  const auto note = [&outcomes](const hub::PublishResult& result) {
    outcomes += result ? std::to_string(result->position.offset) : std::string("-");
  };
  const std::uint64_t epoch = engine.top("lobby").epoch;
  rooms.remove_message(moderator, "lobby", {epoch, 1}, note);
  rooms.replace_message(moderator, "lobby", {epoch, 2}, {Kind::text, "ho"}, note);
  rooms.replace_message(moderator, "lobby", {epoch, 2}, {Kind::text, "\xff"}, note);
  rooms.remove_message(moderator, "lobby", {epoch, 9}, note);
  turn();
  CHECK(outcomes == "12--");
  std::optional<hub::HistoryResult> page;
  rooms.read_history({}, "lobby", std::nullopt, 10, [&page](const auto& result) { page.emplace(result); });
  REQUIRE((*page)->messages.size() == 2);
  CHECK((*page)->messages[0].payload.view() == "ho");
  CHECK((*page)->messages[0].author == hub::Author("mod", "user:mod"));
  rooms.clear_room(moderator, "lobby", note);
  turn();
  CHECK(outcomes == "12--3");
}

TEST_CASE_FIXTURE(Fixture, "rooms: a publish is refused for a name, the key or its payload") {
  CHECK(publish("", hi) == Code::bad_room_name);
  CHECK(publish(std::string(201, 'r'), hi) == Code::bad_room_name);
  CHECK(publish("lobby", hi, {}, called(std::string(101, 'n'))) == Code::bad_client_name);
  CHECK(publish("lobby", hi, std::string(201, 'k')) == Code::bad_idempotency_key);
  CHECK(publish("lobby", {Kind::text, "123456789012345678901"}) == Code::message_too_big);
  CHECK(publish("lobby", {Kind::text, "\xff"}) == Code::invalid_text);
  CHECK(publish("lobby", {Kind::json, "{"}) == Code::invalid_json);
  CHECK(publish("lobby", {Kind::json, "[[[[]]]]"}) == Code::json_too_deep);
  CHECK(engine.log.empty());  // no room was made
  CHECK_FALSE(publish(std::string(200, 'r'), {Kind::text, "12345678901234567890"}, std::string(200, 'k'),
                      called(std::string(100, 'n'))));
  CHECK_FALSE(publish("lobby", {Kind::json, "[[[]]]"}));
}

TEST_CASE_FIXTURE(Fixture, "rooms: limits apply from the next message on") {
  CHECK(publish("lobby", {Kind::text, "123456789012345678901"}) == Code::message_too_big);
  rooms.set_limits({21, 3});
  CHECK_FALSE(publish("lobby", {Kind::text, "123456789012345678901"}));
  CHECK(rooms.limits().message_bytes == 21);
}

TEST_CASE_FIXTURE(Fixture, "rooms: what the hub refuses comes with the outcome") {
  SUBCASE("memory is short") { hub.set_overloaded(true); }
  SUBCASE("no space") { leave_no_space(); }
  CHECK(publish("lobby", hi) == Code::overloaded);
}

TEST_CASE_FIXTURE(Fixture, "rooms: a key belongs to one message") {
  CHECK_FALSE(publish("lobby", hi, "k"));
  CHECK_FALSE(publish("lobby", hi, "k"));
  CHECK(engine.top("lobby").offset == 1);
  CHECK(publish("lobby", {Kind::text, "ho"}, "k") == Code::key_reused);
}

TEST_CASE_FIXTURE(Fixture, "rooms: one payload for several rooms is shared, and each room is checked") {
  CHECK_FALSE(join("a"));
  CHECK_FALSE(join("b"));
  const auto payload = service::Payload::check(hi, rooms.limits());
  REQUIRE(payload);
  for (const char* room : {"a", "b"})
    rooms.publish(std::move(*rooms.accept({}, room, *payload, {})), {});
  CHECK(rooms.accept({}, "", *payload, {}).error().code == Code::bad_room_name);
  CHECK(rooms.accept(called("\n"), "a", *payload, {}).error().code == Code::bad_client_name);
  CHECK(rooms.accept({}, "a", *payload, "\n").error().code == Code::bad_idempotency_key);
  turn();
  REQUIRE(hearer.messages.size() == 2);
  for (const hub::Message& message : hearer.messages)
    CHECK(message.payload.view().data() == payload->bytes().view().data());
}

TEST_CASE_FIXTURE(Fixture,
                  "rooms: a member's message waits while memory is short, and is checked as others are") {
  CHECK_FALSE(join("lobby"));
  turn();
  const hub::Membership& member = *places.front();
  CHECK(rooms.accept({}, member, {Kind::text, "[[[[]]]]", Checked::form}, 1).error().code ==
        Code::json_too_deep);
  CHECK(rooms.accept({}, member, {Kind::binary, "123456789012345678901"}, 1).error().code ==
        Code::message_too_big);
  hub.set_overloaded(true);
  CHECK(rooms.would_wait("lobby"));
  bool published = false;
  rooms.publish(std::move(*rooms.accept({}, member, hi, 1)),
                [&published](const hub::PublishResult& result) { published = result.ok(); });
  turn();
  CHECK_FALSE(published);
  hub.set_overloaded(false);
  turn();
  CHECK(published);
  REQUIRE(hearer.messages.size() == 1);
  CHECK(hearer.messages.front().sender == 1);
}

TEST_CASE_FIXTURE(Fixture, "rooms: history and presence are refused for the room's name") {
  CHECK(read("") == Code::bad_room_name);
  CHECK(read(std::string(201, 'r')) == Code::bad_room_name);
  CHECK(rooms.presence({}, std::string(201, 'r')).error().code == Code::bad_room_name);
  CHECK(engine.log.empty());
  CHECK_FALSE(publish("lobby", hi));
  CHECK_FALSE(read("lobby"));
  CHECK(read_messages == 1);
  CHECK(rooms.presence({}, std::string(200, 'r'))->count == 0);
}

TEST_CASE_FIXTURE(Fixture, "rooms: who is banned from a room can do nothing there, and all elsewhere") {
  access::Sanction ban;
  ban.address = *base::AddressBlock::parse("192.0.2.0/24");
  ban.rooms = "chat/**";
  REQUIRE(access.sanctions.add(std::move(ban)));
  Caller caller;
  caller.address = "192.0.2.7";
  CHECK(join("chat/lobby", caller) == Code::banned);
  CHECK(publish("chat/lobby", {Kind::text, "hi"}, {}, caller) == Code::banned);
  CHECK(rooms.presence(caller, "chat/lobby").error().code == Code::banned);
  CHECK(code_of(rooms.check_join(caller, std::nullopt)) == std::nullopt);
  CHECK(join("news", caller) == std::nullopt);
  CHECK(publish("news", {Kind::text, "hi"}, {}, caller) == std::nullopt);
  caller.address = "192.0.3.7";
  CHECK(join("chat/lobby", caller) == std::nullopt);
}

TEST_CASE_FIXTURE(Fixture, "rooms: a ban from all of them holds for a connection without a room too") {
  access::Sanction ban;
  ban.address = *base::AddressBlock::parse("192.0.2.7");
  REQUIRE(access.sanctions.add(std::move(ban)));
  Caller caller;
  caller.address = "192.0.2.7";
  CHECK(code_of(rooms.check_join(caller, std::nullopt)) == Code::banned);
}

TEST_CASE_FIXTURE(Fixture, "rooms: who is muted reads on, and a member is muted as well") {
  access::Sanction mute;
  mute.kind = access::Sanction::Kind::mute;
  mute.address = *base::AddressBlock::parse("192.0.2.7");
  mute.rooms = "lobby";
  REQUIRE(access.sanctions.add(std::move(mute)));
  Caller caller;
  caller.address = "192.0.2.7";
  CHECK(join("lobby", caller) == std::nullopt);
  CHECK(publish("lobby", {Kind::text, "hi"}, {}, caller) == Code::muted);
  const auto refused = rooms.accept(caller, *places.back(), {Kind::text, "hi"}, 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::muted);
  CHECK(publish("news", {Kind::text, "hi"}, {}, caller) == std::nullopt);
}

}  // namespace rooms_test

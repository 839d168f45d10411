// What a poll gets where something changes behind it: messages are removed, or its client may no longer be
// in the room.
#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "unit/transport/poll_fixture.h"

namespace poll_changes_test {

using namespace roomcast;
using namespace roomcast::transport;
using namespace roomcast::transport::test;

namespace {

access::Sanction of_user(access::Sanction::Kind kind, std::string_view user, std::string_view rooms = "**") {
  access::Sanction sanction;
  sanction.kind = kind;
  sanction.user = user;
  sanction.rooms = rooms;
  return sanction;
}
access::Sanction ban_of(std::string_view user, std::string_view rooms = "**") {
  return of_user(access::Sanction::Kind::ban, user, rooms);
}
access::Sanction ban_of_address(std::string_view address) {
  access::Sanction sanction;
  sanction.address = *base::AddressBlock::parse_client(address);
  return sanction;
}

/// A poll that waits for half a minute, and the code of its answer.
struct Fixture : PollFixture {
  Fixture() { polls.set_settings({60'000, false, 0}); }

  void ask_as(std::string_view user, std::string_view token_id = {}, std::int64_t expires_s = 0) {
    access::Profile profile;
    profile.id = user;
    profile.token_id = token_id;
    profile.issued_s = 1'000;
    profile.expires_s = expires_s;
    roomcast::test::ExchangeDouble exchange(http::Method::get, "/rooms/lobby?wait=30");
    exchange.context().identity = access::Identity(std::move(profile));
    ask(std::move(exchange));
  }
  void sanction(access::Sanction decided) {
    REQUIRE(access.sanctions.add(std::move(decided)));
    polls.reconsider({});
    turn();
  }
  /// Of the polls that have been answered since.
  Words codes() {
    Words codes;
    for (const http::Response& response : std::exchange(answers.all, {}))
      codes.emplace_back(response.refusal ? base::describe(*response.refusal).name : "none");
    return codes;
  }
};

}  // namespace

TEST_CASE_FIXTURE(PollFixture, "poll: removed messages are left out, and no reason to answer") {
  publish("1");
  publish("2");
  publish("3");
  hub.remove("lobby", {1, 2}, {});
  hub.replace("lobby", {1, 1}, {hub::Kind::text, base::Bytes::copy_of("one"), {}, 0}, {});
  turn();
  ask("?since=" + cursor(0));
  turn();
  CHECK(heard() == Words{"one 3 " + cursor(3)});
  ask("?since=" + cursor(3) + "&wait=5");
  turn();
  publish("4");
  hub.remove("lobby", {1, 4}, {});
  turn();
  CHECK(heard().empty());
  publish("5");
  turn();
  CHECK(heard() == Words{"5 " + cursor(5)});
  ask("?since=" + cursor(3));
  turn();
  hub.remove("lobby", {1, 5}, {});
  turn();
  ask("?since=" + cursor(3) + "&wait=0");
  turn();
  CHECK(heard() == Words{"5 " + cursor(5), cursor(5)});
}

TEST_CASE_FIXTURE(PollFixture, "poll: what is behind whole pages of removed messages is found") {
  hub::RoomSettings settings = part::room_settings({});
  settings.history.messages = 2'000;
  hub.set_rules(hub::RoomRules(settings));
  for (std::uint64_t i = 1; i <= 1'300; ++i) {
    publish("x");
    hub.remove("lobby", {1, i}, {});
    turn();
  }
  publish("last");
  turn();
  for (const char* wait : {"", "&wait=5"}) {
    ask("?since=" + cursor(0) + wait);
    for (int i = 0; i < 5; ++i)
      turn();
    CHECK(heard() == Words{"last " + cursor(1'301)});
  }
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: one whose client may no longer be in the room gets none of its messages") {
  ask("?wait=30");
  ask("?wait=30", "open");
  turn();
  access.policy = *access::Policy::make({{"open", "anyone", access::PermissionSet::ordinary()}});
  publish("secret");
  publish("x", "open");
  turn();
  REQUIRE(answers.all.size() == 2);
  CHECK(answers.all[0].status == 401);
  CHECK(content(answers.all[0]).find("secret") == std::string::npos);
  CHECK(answers.all[1].status == 200);
}

TEST_CASE_FIXTURE(Fixture, "poll: a ban of its user, its room or its address answers it at once") {
  ask_as("ada");
  ask_as("bob");
  ask("?wait=30");
  turn();
  sanction(ban_of("eve"));
  sanction(of_user(access::Sanction::Kind::mute, "ada"));
  sanction(ban_of("ada", "other"));
  sanction(ban_of_address("192.0.2.9"));
  CHECK(answers.all.empty());
  sanction(ban_of("ada", "lobby"));
  CHECK(codes() == Words{"banned"});
  sanction(ban_of_address("192.0.2.0/24"));
  CHECK(codes() == Words{"banned", "banned"});
  CHECK(polls.size() == 0);
  CHECK(hub.subscribers("lobby") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "poll: one of a banned address gets no message, even if nobody has it reconsidered") {
  ask("?wait=30");
  turn();
  REQUIRE(access.sanctions.add(ban_of_address("192.0.2.1")));
  publish("secret");
  turn();
  REQUIRE(answers.all.size() == 1);
  CHECK(answers.all[0].status == 403);
  CHECK(content(answers.all[0]).find("secret") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "poll: a revocation of its token answers it at once") {
  ask_as("ada", "one");
  ask_as("ada", "two");
  ask_as("bob", "three");
  ask("?wait=30");
  turn();
  access::Sanction of_token;
  of_token.kind = access::Sanction::Kind::revocation;
  of_token.token_id = "one";
  sanction(std::move(of_token));
  CHECK(codes() == Words{"token_revoked"});
  CHECK(polls.size() == 3);
  access::Sanction of_older = of_user(access::Sanction::Kind::revocation, "ada");
  of_older.issued_before_s = 1'001;
  sanction(std::move(of_older));
  CHECK(codes() == Words{"token_revoked"});
  CHECK(polls.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "poll: the end of its token answers it, with the leeway and without a message") {
  const std::int64_t now_s = clock.wall_now_ms / 1'000;
  ask_as("ada", {}, now_s + 3);
  ask_as("bob", {}, now_s + 40);
  turn();
  polls.set_settings({60'000, false, 1'000});
  ask_as("eve", {}, now_s + 3);
  turn();
  polls.set_settings({60'000, false, 0});
  pass(2'900);
  CHECK(answers.all.empty());
  pass(200);
  CHECK(codes() == Words{"token_expired"});
  pass(1'000);
  CHECK(codes() == Words{"token_expired"});
  pass(26'000);
  CHECK(codes() == Words{"none"});
}

TEST_CASE_FIXTURE(Fixture, "poll: an API key or account that has gone answers it at once") {
  ask_as("ada");
  ask_as("bob");
  ask("?wait=30");
  turn();
  polls.reconsider([](const access::Identity& identity) -> std::optional<base::Refusal> {
    if (identity.id() != "ada") return std::nullopt;
    return base::Refusal{base::Refusal::Code::bad_api_key, "gone"};
  });
  CHECK(answers.all.empty());  // not from within the call
  turn();
  CHECK(codes() == Words{"bad_api_key"});
  CHECK(polls.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "poll: many are reconsidered in slices, and twice where things change meanwhile") {
  constexpr std::size_t count = 1'000;
  for (std::size_t i = 0; i < count; ++i)
    ask_as(i % 2 == 0 ? "ada" : "bob");
  turn();
  clock.us_between_looks = 200;  // a slice of half a millisecond is over after a few looks
  REQUIRE(access.sanctions.add(ban_of("ada")));
  polls.reconsider({});
  scheduler.flush_deferred();
  CHECK(polls.size() < count);
  CHECK(polls.size() > count / 2);
  REQUIRE(access.sanctions.add(ban_of("bob")));
  polls.reconsider({});
  int slices = 1;
  for (; scheduler.deferred() > 0; ++slices)
    scheduler.flush_deferred();
  CHECK(slices > 10);
  CHECK(polls.size() == 0);
  turn();
  CHECK(answers.all.size() == count);
}

}  // namespace poll_changes_test

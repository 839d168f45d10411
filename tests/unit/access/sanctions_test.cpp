#include "access/sanctions.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sanctions_test {

using namespace roomcast;
using access::Identity;
using access::Kind;
using access::Profile;
using access::Proof;
using access::Sanction;
using access::Sanctions;
using Code = base::Refusal::Code;

namespace {

constexpr std::int64_t noon_s = 1'767'268'800;  // 2026-01-01T12:00:00Z

Identity user(std::string_view id, std::string_view token_id = {}, std::int64_t issued_s = 0) {
  Profile profile;
  profile.id = id;
  profile.token_id = token_id;
  profile.issued_s = issued_s;
  return Identity(std::move(profile));
}

Identity key(std::string_view name) {
  Profile profile;
  profile.kind = Kind::key;
  profile.proof = Proof::api_key;
  profile.id = name;
  return Identity(std::move(profile));
}

Sanction of_user(Sanction::Kind kind, std::string_view id, std::string_view rooms = "**") {
  Sanction sanction;
  sanction.kind = kind;
  sanction.user = id;
  sanction.rooms = rooms;
  return sanction;
}

Sanction of_address(Sanction::Kind kind, std::string_view block, std::string_view rooms = "**") {
  Sanction sanction;
  sanction.kind = kind;
  sanction.address = *base::AddressBlock::parse(block);
  sanction.rooms = rooms;
  return sanction;
}

/// Notes what it is to keep, until it has no space.
struct NotingKeeper final : Sanctions::Keeper {
  [[nodiscard]] bool keep(Sanctions::Id id, const Sanction& sanction) override {
    return note("keep " + std::to_string(id) + ' ' + sanction.user);
  }
  [[nodiscard]] bool drop(const Sanction& like) override { return note("drop " + like.user); }
  [[nodiscard]] Change last_change() const override { return notes.size(); }
  void set_listener(Listener& /*listener*/) override {}

  bool note(std::string what) {
    if (is_busy) return false;
    notes.push_back(std::move(what));
    return true;
  }
  std::vector<std::string> notes;
  bool is_busy = false;
};

struct Fixture {
  Sanctions::Id add(Sanction sanction) {
    auto id = sanctions.add(std::move(sanction));
    REQUIRE(id);
    return *id;
  }
  std::string ban(const Identity& identity, std::string_view address, std::optional<std::string_view> room) {
    const auto refusal = sanctions.check_ban(identity, address, room);
    if (!refusal) return {};
    CHECK(refusal->code == Code::banned);
    return std::string(refusal->message.view());
  }
  bool is_banned(const Identity& identity, std::string_view address, std::string_view room) {
    return !ban(identity, address, room).empty();
  }
  std::vector<Sanctions::Id> listed(Sanction::Kind kind, Sanctions::Id after, std::size_t most) {
    std::vector<Sanctions::Id> ids;
    next =
        sanctions.list(kind, after, most, [&ids](Sanctions::Id id, const Sanction&) { ids.push_back(id); });
    return ids;
  }

  Sanctions sanctions;
  std::optional<Sanctions::Id> next;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "sanctions: without any nobody is refused anything") {
  CHECK_FALSE(is_banned(user("ada"), "192.0.2.1", "lobby"));
  CHECK_FALSE(sanctions.check_mute(user("ada"), "192.0.2.1", "lobby"));
  CHECK_FALSE(sanctions.revocation_of(user("ada", "t1")));
  CHECK(sanctions.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "sanctions: a ban of a user is for the rooms that it names, with reason and end") {
  Sanction made = of_user(Sanction::Kind::ban, "ada", "chat/**");
  made.reason = "spam";
  made.until_s = noon_s;
  add(std::move(made));
  CHECK(ban(user("ada"), "", "chat/lobby") == "banned in chat/** until 2026-01-01T12:00:00Z: spam");
  CHECK_FALSE(is_banned(user("ada"), "", "news"));
  CHECK_FALSE(is_banned(user("bob"), "", "chat/lobby"));
  CHECK_FALSE(is_banned(key("ada"), "", "chat/lobby"));
  CHECK_FALSE(is_banned({}, "", "chat/lobby"));
  CHECK(ban(user("ada"), "", std::nullopt).empty());
  CHECK_FALSE(sanctions.check_mute(user("ada"), "", "chat/lobby"));
}

TEST_CASE_FIXTURE(Fixture, "sanctions: a ban everywhere holds without a room too, and for good") {
  add(of_user(Sanction::Kind::ban, "ada"));
  CHECK(ban(user("ada"), "", std::nullopt) == "banned");
  CHECK(ban(user("ada"), "", "lobby") == "banned");
}

TEST_CASE_FIXTURE(Fixture,
                  "sanctions: an address is banned with its block, whoever comes from it, but for keys") {
  add(of_address(Sanction::Kind::ban, "192.0.2.0/24"));
  add(of_address(Sanction::Kind::ban, "2001:db8::/64", "lobby"));
  CHECK(is_banned({}, "192.0.2.255", "lobby"));
  CHECK(is_banned(user("ada"), "192.0.2.0", "lobby"));
  CHECK_FALSE(is_banned(key("ci"), "192.0.2.0", "lobby"));
  CHECK_FALSE(is_banned({}, "192.0.3.0", "lobby"));
  CHECK(is_banned({}, "2001:db8::ffff", "lobby"));
  CHECK_FALSE(is_banned({}, "2001:db8::ffff", "news"));
  CHECK_FALSE(is_banned({}, "2001:db8:0:1::", "lobby"));
  CHECK_FALSE(is_banned({}, "unix", "lobby"));
  CHECK_FALSE(is_banned({}, "", "lobby"));
}

TEST_CASE_FIXTURE(Fixture, "sanctions: all of IPv6 is not all of IPv4") {
  add(of_address(Sanction::Kind::ban, "::/0"));
  CHECK(is_banned({}, "2001:db8::1", "lobby"));
  CHECK_FALSE(is_banned({}, "192.0.2.1", "lobby"));
  add(of_address(Sanction::Kind::ban, "0.0.0.0/0"));
  CHECK(is_banned({}, "192.0.2.1", "lobby"));
}

TEST_CASE_FIXTURE(Fixture, "sanctions: a mute is no ban") {
  Sanction mute = of_user(Sanction::Kind::mute, "ada", "lobby");
  mute.reason = "shouting";
  add(std::move(mute));
  CHECK_FALSE(is_banned(user("ada"), "", "lobby"));
  const auto refusal = sanctions.check_mute(user("ada"), "", "lobby");
  REQUIRE(refusal);
  CHECK(refusal->code == Code::muted);
  CHECK(refusal->message == "muted in lobby: shouting");
  CHECK_FALSE(sanctions.check_mute(user("ada"), "", "news"));
}

TEST_CASE_FIXTURE(Fixture, "sanctions: the same again takes the place of the first, and keeps its id") {
  const auto first = add(of_user(Sanction::Kind::ban, "ada"));
  Sanction again = of_user(Sanction::Kind::ban, "ada");
  again.reason = "more of it";
  CHECK(add(std::move(again)) == first);
  CHECK(sanctions.count(Sanction::Kind::ban) == 1);
  CHECK(ban(user("ada"), "", "lobby") == "banned: more of it");
}

TEST_CASE_FIXTURE(Fixture, "sanctions: what is lifted leaves nothing") {
  add(of_user(Sanction::Kind::ban, "ada", "lobby"));
  add(of_address(Sanction::Kind::ban, "10.0.0.0/8"));
  CHECK_FALSE(*sanctions.remove(of_user(Sanction::Kind::ban, "ada", "news")));
  CHECK_FALSE(*sanctions.remove(of_user(Sanction::Kind::mute, "ada", "lobby")));
  CHECK_FALSE(*sanctions.remove(of_address(Sanction::Kind::ban, "10.0.0.0/9")));
  CHECK(*sanctions.remove(of_user(Sanction::Kind::ban, "ada", "lobby")));
  CHECK(*sanctions.remove(of_address(Sanction::Kind::ban, "10.0.0.0/8")));
  CHECK_FALSE(is_banned(user("ada"), "10.1.1.1", "lobby"));
  CHECK(sanctions.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "sanctions: those whose time is over go at their second, a bounded number at a time") {
  for (const auto& [name, until_s] :
       {std::pair("ada", noon_s), std::pair("bob", noon_s), std::pair("eve", noon_s + 1)}) {
    Sanction made = of_user(Sanction::Kind::ban, name);
    made.until_s = until_s;
    add(std::move(made));
  }
  add(of_user(Sanction::Kind::ban, "joe"));
  CHECK_FALSE(sanctions.expire(noon_s - 1));
  CHECK(sanctions.count(Sanction::Kind::ban) == 4);
  CHECK(sanctions.expire(noon_s, 1));
  CHECK(sanctions.count(Sanction::Kind::ban) == 3);
  CHECK_FALSE(sanctions.expire(noon_s, 1));
  CHECK_FALSE(is_banned(user("bob"), "", "lobby"));
  CHECK(is_banned(user("eve"), "", "lobby"));
  CHECK_FALSE(sanctions.expire(noon_s + 1'000'000'000));
  CHECK(is_banned(user("joe"), "", "lobby"));
}

TEST_CASE_FIXTURE(Fixture, "sanctions: a token is revoked by its jti") {
  Sanction revocation;
  revocation.kind = Sanction::Kind::revocation;
  revocation.token_id = "t1";
  add(std::move(revocation));
  CHECK(sanctions.revocation_of(user("ada", "t1"))->code == Code::token_revoked);
  CHECK_FALSE(sanctions.revocation_of(user("ada", "t2")));
  CHECK_FALSE(sanctions.revocation_of(user("t1")));
  CHECK_FALSE(sanctions.revocation_of({}));
}

TEST_CASE_FIXTURE(
    Fixture, "sanctions: tokens of a user are revoked if they were issued before, or it is unknown when") {
  Sanction revocation = of_user(Sanction::Kind::revocation, "ada");
  revocation.issued_before_s = noon_s;
  add(std::move(revocation));
  CHECK(sanctions.revocation_of(user("ada", {}, noon_s - 1)));
  CHECK(sanctions.revocation_of(user("ada", {}, 0)));
  CHECK_FALSE(sanctions.revocation_of(user("ada", {}, noon_s)));
  CHECK_FALSE(sanctions.revocation_of(user("bob", {}, 1)));
  CHECK_FALSE(sanctions.revocation_of(key("ada")));
  Profile proxied;
  proxied.id = "ada";
  proxied.proof = Proof::proxy_header;
  CHECK_FALSE(sanctions.revocation_of(Identity(std::move(proxied))));
}

TEST_CASE_FIXTURE(Fixture, "sanctions: at the limit of bytes one more is refused and none forgotten") {
  add(of_user(Sanction::Kind::ban, "ada"));
  const std::size_t one = sanctions.bytes();
  sanctions.set_limit(2 * one);
  add(of_user(Sanction::Kind::ban, "bob"));
  const auto refused = sanctions.add(of_user(Sanction::Kind::ban, "eve"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::overloaded);
  CHECK(is_banned(user("ada"), "", "lobby"));
  CHECK(is_banned(user("bob"), "", "lobby"));
  // In the place of one that is there, there is room.
  CHECK(sanctions.add(of_user(Sanction::Kind::ban, "bob")).ok());
  CHECK(*sanctions.remove(of_user(Sanction::Kind::ban, "ada")));
  CHECK(sanctions.add(of_user(Sanction::Kind::ban, "eve")).ok());
}

TEST_CASE_FIXTURE(Fixture, "sanctions: one subject has at most a hundred of a kind") {
  for (std::size_t i = 0; i < Sanctions::per_subject_max; ++i)
    add(of_user(Sanction::Kind::ban, "ada", "room" + std::to_string(i)));
  CHECK(sanctions.add(of_user(Sanction::Kind::ban, "ada", "one more")).error().code == Code::bad_request);
  CHECK(sanctions.add(of_user(Sanction::Kind::ban, "ada", "room0")).ok());
  CHECK(sanctions.add(of_user(Sanction::Kind::mute, "ada", "one more")).ok());
}

TEST_CASE_FIXTURE(Fixture, "sanctions: they are listed in pages, in the order of their ids") {
  std::vector<Sanctions::Id> bans;
  for (int i = 0; i < 5; ++i) {
    bans.push_back(add(of_user(Sanction::Kind::ban, "user" + std::to_string(i))));
    add(of_user(Sanction::Kind::mute, "user" + std::to_string(i)));
  }
  CHECK(listed(Sanction::Kind::ban, 0, 2) == std::vector{bans[0], bans[1]});
  CHECK(next);
  CHECK(listed(Sanction::Kind::ban, *next, 100) == std::vector{bans[2], bans[3], bans[4]});
  CHECK_FALSE(next);
}

TEST_CASE_FIXTURE(Fixture, "sanctions: a list looks at ten times as many as it may have") {
  for (int i = 0; i < 25; ++i)
    add(of_user(Sanction::Kind::mute, "user" + std::to_string(i)));
  const auto ban = add(of_user(Sanction::Kind::ban, "ada"));
  CHECK(listed(Sanction::Kind::ban, 0, 2).empty());
  REQUIRE(next);
  CHECK(listed(Sanction::Kind::ban, *next, 2) == std::vector{ban});
}

TEST_CASE_FIXTURE(Fixture, "sanctions: a keeper gets what is added, replaced, lifted and over, in order") {
  NotingKeeper keeper;
  sanctions.set_keeper(&keeper);
  add(of_user(Sanction::Kind::ban, "ada"));
  Sanction brief = of_user(Sanction::Kind::mute, "bob");
  brief.until_s = noon_s;
  add(std::move(brief));
  add(of_user(Sanction::Kind::ban, "ada"));
  CHECK(*sanctions.remove(of_user(Sanction::Kind::ban, "ada")));
  CHECK_FALSE(*sanctions.remove(of_user(Sanction::Kind::ban, "ada")));
  CHECK_FALSE(sanctions.expire(noon_s));
  CHECK(keeper.notes ==
        std::vector<std::string>{"keep 1 ada", "keep 2 bob", "keep 1 ada", "drop ada", "drop bob"});
}

TEST_CASE_FIXTURE(Fixture, "sanctions: what a keeper has no space for has not happened, but for an end") {
  NotingKeeper keeper;
  sanctions.set_keeper(&keeper);
  Sanction brief = of_user(Sanction::Kind::mute, "bob");
  brief.until_s = noon_s;
  add(std::move(brief));
  add(of_user(Sanction::Kind::ban, "eve"));
  keeper.is_busy = true;
  const auto added = sanctions.add(of_user(Sanction::Kind::ban, "ada"));
  REQUIRE_FALSE(added);
  CHECK(added.error().code == Code::store_busy);
  CHECK_FALSE(is_banned(user("ada"), "", "lobby"));
  const auto removed = sanctions.remove(of_user(Sanction::Kind::ban, "eve"));
  REQUIRE_FALSE(removed);
  CHECK(removed.error().code == Code::store_busy);
  CHECK(is_banned(user("eve"), "", "lobby"));
  CHECK_FALSE(sanctions.expire(noon_s));
  CHECK(sanctions.count(Sanction::Kind::mute) == 0);
}

TEST_CASE_FIXTURE(Fixture, "sanctions: those of before are put back with their ids, whatever the bound") {
  NotingKeeper keeper;
  sanctions.set_keeper(&keeper);
  sanctions.set_limit(0);
  Sanction brief = of_address(Sanction::Kind::ban, "10.0.0.0/8");
  brief.until_s = noon_s;
  CHECK(sanctions.restore(7, std::move(brief)));
  CHECK(sanctions.restore(3, of_user(Sanction::Kind::ban, "ada", "chat/*")));
  CHECK_FALSE(sanctions.restore(7, of_user(Sanction::Kind::ban, "bob")));
  CHECK_FALSE(sanctions.restore(8, of_user(Sanction::Kind::ban, "ada", "chat/*")));
  CHECK(keeper.notes.empty());
  CHECK(is_banned({}, "10.1.2.3", "lobby"));
  CHECK(is_banned(user("ada"), "", "chat/1"));
  CHECK(listed(Sanction::Kind::ban, 0, 10) == std::vector<Sanctions::Id>{3, 7});
  CHECK_FALSE(sanctions.expire(noon_s));
  CHECK_FALSE(is_banned({}, "10.1.2.3", "lobby"));
  sanctions.set_limit(10'000);
  CHECK(add(of_user(Sanction::Kind::ban, "eve")) == 8);
}

}  // namespace sanctions_test

#include "access/policy.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_pattern.h"

namespace policy_test {

using namespace roomcast::access;
using By = Decision::By;
using Code = roomcast::base::Refusal::Code;

namespace {

constexpr PermissionSet joins{Permission::join};
constexpr PermissionSet publishes{Permission::publish};
constexpr PermissionSet nothing{};

Policy policy_of(const std::vector<Row>& rows) {
  auto policy = Policy::make(rows);
  REQUIRE(policy.ok());
  return std::move(*policy);
}

Identity user(std::string id, std::vector<std::string> roles = {}, std::vector<Grant> grants = {}) {
  Profile profile;
  profile.id = std::move(id);
  profile.roles = std::move(roles);
  profile.grants = std::move(grants);
  return Identity(std::move(profile));
}

Identity key(std::string name, std::vector<Grant> grants = {}) {
  Profile profile;
  profile.kind = Kind::key;
  profile.id = std::move(name);
  profile.grants = std::move(grants);
  return Identity(std::move(profile));
}

Identity ticket(std::string room, std::vector<Grant> grants = {}) {
  Profile profile;
  profile.id = "ada";
  profile.only_room = std::move(room);
  profile.grants = std::move(grants);
  return Identity(std::move(profile));
}

Grant grant(std::string pattern, PermissionSet may) {
  return {roomcast::base::NamePattern(std::move(pattern)), may};
}

const Identity anonymous;

}  // namespace

TEST_CASE("policy: without rows everybody is an ordinary participant, and a key may what its line says") {
  const Policy policy;
  CHECK(policy.decide(anonymous, "a").may == PermissionSet::ordinary());
  CHECK(policy.decide(user("ada"), "a").may == PermissionSet::ordinary());
  CHECK(policy.decide(user("ada"), "a").by == By::no_rows);
  CHECK_FALSE(policy.permits(anonymous, Permission::moderate, "a"));
  CHECK_FALSE(policy.permits(user("ada"), Permission::admin, "a"));
  CHECK(policy.decide(key("ci"), "a").may == nothing);
  CHECK(policy.decide(key("ci", {grant("ci/*", publishes)}), "ci/a").may == publishes);
  CHECK(policy.decide(key("ci", {grant("ci/*", publishes)}), "a").may == nothing);
  CHECK(policy.decide(user("ada", {}, {grant("a", {Permission::moderate})}), "a")
            .may.has(Permission::moderate));
}

TEST_CASE("policy: the first row that matches decides, and nothing matching means no") {
  const Policy policy = policy_of({{"chat/staff", "role:staff", PermissionSet::ordinary()},
                                   {"chat/staff", "anyone", nothing},
                                   {"chat/**", "anyone", joins}});
  CHECK(policy.decide(user("ada", {"staff"}), "chat/staff").may == PermissionSet::ordinary());
  const Decision other = policy.decide(user("bob"), "chat/staff");
  CHECK(other.may == nothing);
  CHECK(other.by == By::row);
  CHECK(other.row == 1);
  CHECK(policy.decide(anonymous, "chat/tea").may == joins);
  CHECK(policy.decide(anonymous, "chat/tea").row == 2);
  CHECK(policy.decide(anonymous, "news").by == By::no_match);
  CHECK(policy.decide(anonymous, "news").may == nothing);
  CHECK_FALSE(policy.decide(anonymous, "news").row.has_value());
}

TEST_CASE("policy: who is whom") {
  const auto who_of = [](const std::string& who) { return policy_of({{"**", who, joins}}); };
  const std::vector<Identity> all{anonymous, user("ada"), user("bob", {"staff"}), key("ada"), key("ci")};
  const auto matched = [&all](const Policy& policy) {
    std::string out;
    for (const Identity& one : all)
      out += policy.permits(one, Permission::join, "room") ? 'x' : '-';
    return out;
  };
  CHECK(matched(who_of("anyone")) == "xxxxx");
  CHECK(matched(who_of("user")) == "-xx--");
  CHECK(matched(who_of("user:ada")) == "-x---");
  CHECK(matched(who_of("key:ada")) == "---x-");
  CHECK(matched(who_of("role:staff")) == "--x--");
}

TEST_CASE("policy: what a row is about has a form") {
  for (const char* bad : {"", "Anyone", "users", "user:", "role:", "key:", "group:a", "anyone "}) {
    CAPTURE(bad);
    const auto policy = Policy::make({{"a", "anyone", joins}, {"a", bad, joins}});
    REQUIRE_FALSE(policy.ok());
    CHECK(policy.error().message.starts_with("access: row 2: who: expected "));
  }
  CHECK(Policy::make({{"a", "user:" + std::string(100, 'a'), joins}}).ok());
  CHECK_FALSE(Policy::make({{"a", "user:" + std::string(101, 'a'), joins}}).ok());
}

TEST_CASE("policy: what an identity brings along is added to the row") {
  const Policy policy = policy_of({{"a", "user", joins}});
  const Decision decision = policy.decide(user("ada", {}, {grant("*", publishes)}), "a");
  CHECK(decision.may == joins.with(publishes));
  CHECK(decision.granted == publishes);
  CHECK(policy.decide(user("ada", {}, {grant("*", publishes)}), "b").may == publishes);
  CHECK(policy.decide(user("ada", {}, {grant("b", publishes)}), "a").may == joins);
}

TEST_CASE("policy: {user} stands for the id of the user") {
  const Policy policy = policy_of({{"inbox/{user}", "user", PermissionSet::ordinary()},
                                   {"files/{user}/**", "anyone", PermissionSet::ordinary()},
                                   {"*/of-{user}", "user", joins}});
  CHECK(policy.permits(user("ada"), Permission::join, "inbox/ada"));
  for (const char* other : {"inbox/adam", "inbox/ad", "inbox/", "inbox/bob", "inbox/{user}", "inbox/ada/x"})
    CHECK_FALSE(policy.permits(user("ada"), Permission::join, other));
  CHECK(policy.permits(user("ada"), Permission::publish, "files/ada/a/b"));
  CHECK_FALSE(policy.permits(user("ada"), Permission::publish, "files/ada"));
  CHECK_FALSE(policy.permits(user("ada"), Permission::publish, "files/adam/a"));
  CHECK(policy.permits(user("ada"), Permission::join, "notes/of-ada"));
  CHECK(policy.permits(user("a"), Permission::join, "aof-a/of-a"));
  CHECK_FALSE(policy.permits(user("ada"), Permission::join, "notes/x/of-ada"));
  CHECK_FALSE(policy.permits(user("ada"), Permission::join, "notes/of-ada/x"));
  // Even if it has the name of a user.
  CHECK_FALSE(policy.permits(key("ada"), Permission::join, "files/ada/a"));
  CHECK_FALSE(policy.permits(anonymous, Permission::join, "files//a"));
}

TEST_CASE("policy: an id never widens a pattern") {
  const Policy inbox = policy_of({{"inbox/{user}", "user", joins}});
  const Policy files = policy_of({{"files/{user}/**", "user", joins}, {"**/{user}", "user", joins}});
  for (const char* id : {"*", "**", "a*", "*/x", "{user}", "?", "."}) {
    CAPTURE(id);
    CHECK(inbox.permits(user(id), Permission::join, std::string("inbox/") + id));
    for (const char* room : {"inbox/bob", "inbox/a", "inbox/ab", "inbox/a/x", "inbox/b/x"})
      CHECK_FALSE(inbox.permits(user(id), Permission::join, room));
    CHECK_FALSE(files.permits(user(id), Permission::join, "files/bob/x"));
    CHECK_FALSE(files.permits(user(id), Permission::join, "files/a/b/x"));
  }
  // A slash would reach below what is another user's.
  CHECK(inbox.permits(user("ada/x"), Permission::join, "inbox/ada/x"));
  CHECK_FALSE(files.permits(user("ada/x"), Permission::join, "files/ada/x/y"));
  CHECK_FALSE(files.permits(user("ada/x"), Permission::join, "other/ada/x"));
  CHECK(files.permits(user("ada"), Permission::join, "files/ada/x/y"));
}

TEST_CASE("policy: a ticket is good for its room alone, whatever the rows") {
  for (const Policy& policy : {Policy(), policy_of({{"a", "anyone", nothing}, {"**", "user", joins}})}) {
    CHECK(policy.decide(ticket("a"), "a").may == PermissionSet::ordinary());
    CHECK(policy.decide(ticket("a"), "a").by == By::ticket);
    CHECK(policy.decide(ticket("a"), "b").may == nothing);
    CHECK(policy.decide(ticket("a"), "b").by == By::other_room);
    CHECK(policy.decide(ticket("a", {grant("**", joins)}), "a").may == joins);
    CHECK(policy.decide(ticket("a", {grant("**", joins)}), "b").may == nothing);
    CHECK(policy.decide(ticket("a", {grant("b", joins)}), "a").may == nothing);
    CHECK_FALSE(
        policy.decide_everywhere(ticket("a", {grant("**", {Permission::admin})})).may.has(Permission::admin));
  }
}

TEST_CASE("policy: what concerns the whole server takes a pattern for all rooms") {
  const PermissionSet admin{Permission::admin};
  const auto may = [](const Policy& policy, const Identity& identity) {
    return !policy.check_everywhere(identity, Permission::admin).has_value();
  };
  CHECK_FALSE(may(Policy(), user("ada")));
  CHECK(may(Policy(), key("ops", {grant("**", admin)})));
  CHECK_FALSE(may(Policy(), key("ops", {grant("*", admin)})));
  CHECK(may(policy_of({{"**", "user:ada", admin}}), user("ada")));
  CHECK_FALSE(may(policy_of({{"**", "user:ada", admin}}), user("bob")));
  for (const char* less : {"*", "a/**", "**/a", "{user}", "**{user}"})
    CHECK_FALSE(may(policy_of({{less, "user:ada", admin}}), user("ada")));
  // The first one that is about all rooms decides.
  CHECK_FALSE(may(policy_of({{"a", "anyone", admin}, {"**", "anyone", nothing}, {"**", "anyone", admin}}),
                  user("ada")));
}

TEST_CASE("policy: a refusal says what is missing, and whether it would help to sign in") {
  const Policy policy = policy_of({{"a", "user", joins}});
  const auto refusal = [&policy](const Identity& identity, std::string_view room) {
    const auto found = policy.check(identity, Permission::publish, room);
    REQUIRE(found.has_value());
    return *found;
  };
  CHECK(refusal(anonymous, "a").code == Code::unauthorized);
  CHECK(refusal(anonymous, "a").message == "no access rule lets anyone publish in a");
  CHECK(refusal(user("ada"), "a").code == Code::forbidden);
  CHECK(refusal(user("ada"), "a").message == "no access rule lets user:ada publish in a");
  CHECK(refusal(key("ci"), "b").message == "no access rule lets key:ci publish in b");
  CHECK(refusal(ticket("a"), "b").message == "the token is a ticket for another room than b");
  CHECK(refusal(ticket("a", {grant("**", joins)}), "a").message ==
        "the ticket does not let user:ada publish in a");
  CHECK_FALSE(policy.check(user("ada"), Permission::join, "a").has_value());
  CHECK(policy.check_everywhere(anonymous, Permission::admin)->code == Code::unauthorized);
  CHECK(policy.check_everywhere(user("ada"), Permission::admin)->message ==
        "no access rule for all rooms (**) gives user:ada the permission admin");
}

TEST_CASE("policy: a decision is remembered for the same identity, not for one that looks like it") {
  const Policy policy = policy_of({{"a", "role:staff", joins}, {"b/**", "anyone", joins}});
  const Identity staff = user("ada", {"staff"});
  for (int i = 0; i < 3; ++i) {
    CHECK(policy.permits(staff, Permission::join, "a"));
    CHECK_FALSE(policy.permits(user("ada"), Permission::join, "a"));
    CHECK_FALSE(policy.permits(staff, Permission::publish, "a"));
  }
  for (int i = 0; i < 5'000; ++i) {
    CHECK(policy.permits(staff, Permission::join, "b/" + std::to_string(i)));
    CHECK_FALSE(policy.permits(staff, Permission::join, std::to_string(i)));
  }
  // So many that they displace each other, and some at the address of one that is gone.
  std::vector<Identity> many;
  for (int i = 0; i < 3'000; ++i) {
    many.push_back(user("ada", {i % 2 == 0 ? "staff" : "guest"}));
    const Identity brief = user("ada", {i % 3 == 0 ? "staff" : "guest"});
    REQUIRE(policy.permits(brief, Permission::join, "a") == (i % 3 == 0));
  }
  for (std::size_t i = 0; i < many.size(); ++i)
    REQUIRE(policy.permits(many[i], Permission::join, "a") == (i % 2 == 0));
  CHECK(policy.permits(staff, Permission::join, "a"));
}

TEST_CASE("policy: one that takes the place of another has nothing of its decisions") {
  Policy policy = policy_of({{"a", "anyone", joins}});
  CHECK(policy.permits(anonymous, Permission::join, "a"));
  policy = policy_of({{"b", "anyone", joins}});
  CHECK_FALSE(policy.permits(anonymous, Permission::join, "a"));
  CHECK(policy.permits(anonymous, Permission::join, "b"));
}

}  // namespace policy_test

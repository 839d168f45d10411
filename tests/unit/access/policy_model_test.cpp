#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/explanation.h"
#include "access/policy.h"
#include "base/name_pattern.h"

namespace policy_model_test {

using namespace roomcast::access;

namespace {

using Grants = std::vector<std::pair<std::string, PermissionSet>>;

// A model that is as plain as the rules: no index, no compiled patterns, nothing remembered.

bool glob(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.starts_with("**")) {
    for (std::size_t i = 0; i <= name.size(); ++i) {
      if (glob(pattern.substr(2), name.substr(i))) return true;
    }
    return false;
  }
  if (pattern.front() == '*') {
    for (std::size_t i = 0; i <= name.size(); ++i) {
      if (glob(pattern.substr(1), name.substr(i))) return true;
      if (i < name.size() && name[i] == '/') return false;
    }
    return false;
  }
  return !name.empty() && name.front() == pattern.front() && glob(pattern.substr(1), name.substr(1));
}

bool model_matches(const Row& row, const Identity& identity, std::string_view room) {
  const bool is_user = identity.kind() == Kind::user;
  const std::string who = row.who;
  const bool is_about = who == "anyone" || (who == "user" && is_user) || who == identity.principal() ||
                        (who.starts_with("role:") && identity.has_role(who.substr(5)));
  if (!is_about) return false;
  const std::size_t at = row.rooms.find("{user}");
  if (at == std::string::npos) return glob(row.rooms, room);
  if (!is_user) return false;
  const std::string id(identity.id());
  if (row.rooms.find('*') != std::string::npos && id.find('/') != std::string::npos) return false;
  for (std::size_t i = 0; i + id.size() <= room.size(); ++i) {
    if (room.substr(i, id.size()) == id && glob(row.rooms.substr(0, at), room.substr(0, i)) &&
        glob(row.rooms.substr(at + 6), room.substr(i + id.size())))
      return true;
  }
  return false;
}

PermissionSet model(const std::vector<Row>& rows, const Grants& grants, const Identity& identity,
                    std::string_view room) {
  if (!identity.only_room().empty() && identity.only_room() != room) return {};
  PermissionSet granted;
  for (const auto& [pattern, may] : grants) {
    if (glob(pattern, room)) granted = granted.with(may);
  }
  if (!identity.only_room().empty()) return grants.empty() ? PermissionSet::ordinary() : granted;
  if (rows.empty()) return identity.kind() == Kind::key ? granted : PermissionSet::ordinary().with(granted);
  for (const Row& row : rows) {
    if (model_matches(row, identity, room)) return row.may.with(granted);
  }
  return granted;
}

struct Dice {
  std::mt19937 engine{20261130};

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine);
  }
  std::string text(std::initializer_list<const char*> pieces, std::size_t most) {
    std::string out;
    for (std::size_t i = 0, count = below(most) + 1; i < count; ++i)
      out += *(pieces.begin() + below(pieces.size()));
    return out;
  }
  std::string room() { return text({"a", "b", "/", "*"}, 6); }
  std::string id() { return text({"a", "b", "/", "*"}, 2); }
  std::string pattern() { return text({"a", "b", "/", "*", "**"}, 6); }
  std::string row_pattern() {
    return below(3) == 0 ? pattern() + "{user}" + (below(2) == 0 ? "" : pattern()) : pattern();
  }
  PermissionSet may() {
    PermissionSet set;
    for (const Permission one : {Permission::join, Permission::publish, Permission::presence,
                                 Permission::history, Permission::moderate, Permission::admin}) {
      if (below(2) == 0) set.add(one);
    }
    return set;
  }
  std::string who() {
    switch (below(5)) {
      case 0:
        return "anyone";
      case 1:
        return "user";
      case 2:
        return "user:" + id();
      case 3:
        return "key:" + id();
      default:
        return "role:r" + std::to_string(below(3));
    }
  }
};

}  // namespace

TEST_CASE("policy: random rows, identities and rooms are decided and explained as by a plain model") {
  Dice dice;
  for (int round = 0; round < 500; ++round) {
    std::vector<Row> rows;
    for (std::size_t i = dice.below(12); i > 0; --i)
      rows.push_back({dice.row_pattern(), dice.who(), dice.may()});
    const auto made = Policy::make(rows);
    REQUIRE(made.ok());
    const Policy& policy = *made;
    for (int i = 0; i < 20; ++i) {
      Profile profile;
      Grants grants;
      for (std::size_t count = dice.below(3); count > 0; --count) {
        grants.emplace_back(dice.pattern(), dice.may());
        profile.grants.push_back({roomcast::base::NamePattern(grants.back().first), grants.back().second});
      }
      profile.kind = dice.below(3) == 0 ? Kind::key : Kind::user;
      profile.id = dice.id();
      if (profile.kind == Kind::user && dice.below(2) == 0)
        profile.roles = {"r" + std::to_string(dice.below(3))};
      const std::string room = dice.room();
      if (dice.below(5) == 0) profile.only_room = dice.below(2) == 0 ? room : dice.room();
      const bool is_anonymous = dice.below(6) == 0;
      const Identity identity = is_anonymous ? Identity() : Identity(std::move(profile));
      if (is_anonymous) grants.clear();

      const PermissionSet expected = model(rows, grants, identity, room);
      CAPTURE(room);
      CAPTURE(identity.principal());
      REQUIRE(policy.decide(identity, room).may == expected);
      for (const Explanation& one : explain(policy, identity, room)) {
        CHECK_FALSE(one.because.empty());
        if (one.permission == Permission::admin) {
          REQUIRE(one.permitted == !policy.check_everywhere(identity, one.permission).has_value());
          continue;
        }
        REQUIRE(one.permitted == expected.has(one.permission));
        REQUIRE(one.permitted == policy.permits(identity, one.permission, room));
        REQUIRE(one.permitted == !policy.check(identity, one.permission, room).has_value());
        if (one.row && one.permitted) REQUIRE(rows[*one.row].may.has(one.permission));
        if (one.row) REQUIRE(model_matches(rows[*one.row], identity, room));
      }
    }
  }
}

TEST_CASE("policy: a thousand rows are decided as by a plain model") {
  Dice dice;
  std::vector<Row> rows;
  for (int i = 0; i < 1'000; ++i) {
    rows.push_back({"tenant-" + std::to_string(i % 300) +
                        (i % 3 == 0   ? "/**"
                         : i % 3 == 1 ? "/{user}"
                                      : "/a*"),
                    dice.who(), dice.may()});
  }
  const auto made = Policy::make(rows);
  REQUIRE(made.ok());
  const Policy& policy = *made;
  for (int i = 0; i < 2'000; ++i) {
    const std::string room = "tenant-" + std::to_string(dice.below(320)) + "/" + dice.room();
    Profile profile;
    profile.id = dice.id();
    profile.roles = {"r" + std::to_string(dice.below(3))};
    const Identity identity(std::move(profile));
    REQUIRE(policy.decide(identity, room).may == model(rows, {}, identity, room));
  }
}

}  // namespace policy_model_test

#include "access/explanation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"

namespace roomcast::access {

namespace {

constexpr std::array<Permission, 6> all_permissions{Permission::join,     Permission::publish,
                                                    Permission::presence, Permission::history,
                                                    Permission::moderate, Permission::admin};

std::string quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

std::string name_of(const Policy& policy, std::size_t row) {
  const Row& it = policy.rows()[row];
  return "row " + std::to_string(row + 1) + " of access (rooms " + quoted(it.rooms) + ", who " +
         quoted(it.who) + ")";
}

std::string_view what_it_brings(const Identity& identity) {
  return identity.kind() == Kind::key ? "the line of the key" : "the token";
}

std::string why_permitted(const Policy& policy, const Identity& identity, const Decision& decision,
                          Permission permission) {
  if (decision.by == Decision::By::ticket) return "the token is a ticket for this room";
  if (decision.row && policy.rows()[*decision.row].may.has(permission)) return name_of(policy, *decision.row);
  if (decision.granted.has(permission)) return std::string(what_it_brings(identity));
  return "there are no rows of access";
}

std::string why_not(const Policy& policy, const Identity& identity, const Decision& decision) {
  switch (decision.by) {
    case Decision::By::ticket:
      return "the token is a ticket for this room, but not for this";
    case Decision::By::other_room:
      return "the token is a ticket for one room";
    case Decision::By::row:
      return name_of(policy, *decision.row) + " does not list it";
    case Decision::By::no_match:
      return "no row of access matches";
    case Decision::By::no_rows:
      break;
  }
  return identity.kind() == Kind::key ? "the line of the key does not list it"
                                      : "there are no rows of access, one of which would have to list it";
}

}  // namespace

base::Result<Identity> identity_named(std::string_view text, std::vector<std::string> roles,
                                      std::span<const Profile> keys) {
  if (text == "anyone" && roles.empty()) return Identity();
  constexpr std::string_view key_prefix = "key:";
  constexpr std::string_view user_prefix = "user:";
  if (text == "anyone" || (text.starts_with(key_prefix) && !roles.empty())) {
    return base::Error{"only users have roles, " + std::string(text) + " has none"};
  }
  if (text.starts_with(key_prefix)) {
    const std::string_view name = text.substr(key_prefix.size());
    const auto found =
        std::find_if(keys.begin(), keys.end(), [name](const Profile& key) { return key.id == name; });
    if (found == keys.end()) return base::Error{"auth.keys has no key " + quoted(name)};
    return Identity(Profile(*found));
  }
  const std::string_view id = text.starts_with(user_prefix) ? text.substr(user_prefix.size()) : text;
  if (id.empty() || id.size() > Profile::id_bytes_max) {
    return base::Error{"expected anyone, user:ID or key:NAME, with 1 to " +
                       std::to_string(Profile::id_bytes_max) + " bytes of ID"};
  }
  Profile profile;
  profile.id = id;
  profile.roles = std::move(roles);
  return Identity(std::move(profile));
}

std::vector<Explanation> explain(const Policy& policy, const Identity& identity, std::string_view room) {
  const Decision here = policy.decide(identity, room);
  const Decision everywhere = policy.decide_everywhere(identity);
  std::vector<Explanation> all;
  for (const Permission permission : all_permissions) {
    const bool is_everywhere = permission == Permission::admin;
    const Decision& decision = is_everywhere ? everywhere : here;
    const bool permitted = decision.may.has(permission);
    std::string because = permitted ? why_permitted(policy, identity, decision, permission)
                                    : why_not(policy, identity, decision);
    if (is_everywhere && !permitted && decision.by == Decision::By::no_match) because += " all rooms (**)";
    const bool by_row = decision.row && (!permitted || policy.rows()[*decision.row].may.has(permission));
    all.push_back({permission, permitted, by_row ? decision.row : std::nullopt, std::move(because)});
  }
  return all;
}

std::string explanation_text(const Policy& policy, const Identity& identity, std::string_view room) {
  constexpr std::size_t width = 10;
  std::string out = identity.principal() + " in " + std::string(room) + "\n";
  for (const Explanation& one : explain(policy, identity, room)) {
    std::string word(to_string(one.permission));
    word.resize(std::max(width, word.size()), ' ');
    out += word + (one.permitted ? "yes  " : "no   ") + one.because + "\n";
  }
  return out;
}

}  // namespace roomcast::access

#include "access/claims.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "base/json_reader.h"
#include "base/name_pattern.h"
#include "base/text.h"

namespace roomcast::access {

namespace {

using base::JsonKind;
using base::JsonValue;
using base::Refusal;

constexpr std::size_t token_id_bytes_max = 200;

/// What is wrong; nothing if the claim has been taken over.
using Problem = std::optional<std::string>;

/// A text of 1 to `bytes_max` bytes without control characters.
std::optional<std::string> text_in(const JsonValue& value, std::size_t bytes_max) {
  if (!value.is(JsonKind::string)) return std::nullopt;
  std::string text;
  value.append_text(text);
  if (!is_profile_text(text, bytes_max)) return std::nullopt;
  return text;
}

std::string must_be_text(std::string_view claim, std::size_t bytes_max) {
  return std::string(claim) + " must be a text of 1 to " + std::to_string(bytes_max) +
         " bytes without control characters";
}

Problem read_text(std::string_view claim, const JsonValue& value, std::size_t bytes_max, std::string& into) {
  auto text = text_in(value, bytes_max);
  if (!text) return must_be_text(claim, bytes_max);
  into = std::move(*text);
  return std::nullopt;
}

/// A NumericDate (RFC 7519 section 2), in whole seconds, rounded down.
Problem read_date(std::string_view claim, const JsonValue& value, std::int64_t& into) {
  constexpr double max = 9'007'199'254'740'992.0;  // 2^53
  const std::string_view text = value.raw();
  double seconds = -1;
  if (value.is(JsonKind::number)) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) seconds = -1;
  }
  if (!(seconds >= 0 && seconds <= max)) return std::string(claim) + " must be a time in seconds since 1970";
  // 0 stands for: not given.
  into = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(seconds)));
  return std::nullopt;
}

std::optional<PermissionSet> permissions_in(const JsonValue& value) {
  if (!value.is(JsonKind::array)) return std::nullopt;
  PermissionSet may;
  base::JsonElements elements(value);
  while (const auto element = elements.next()) {
    const auto name = text_in(*element, name_bytes_max);
    const auto permission = name ? permission_from(*name) : std::nullopt;
    if (!permission) return std::nullopt;
    may.add(*permission);
  }
  return may;
}

std::string must_be_permissions(std::string_view claim) {
  return std::string(claim) + " must be a list of join, publish, presence, history, moderate and admin";
}

Problem read_roles(const JsonValue& value, std::vector<std::string>& roles) {
  const auto expected = [] {
    return "roles must be a list of at most " + std::to_string(roles_max) + " texts of 1 to " +
           std::to_string(Profile::id_bytes_max) + " bytes";
  };
  if (!value.is(JsonKind::array)) return expected();
  base::JsonElements elements(value);
  while (const auto element = elements.next()) {
    auto role = text_in(*element, Profile::id_bytes_max);
    if (!role || roles.size() == roles_max) return expected();
    roles.push_back(std::move(*role));
  }
  return std::nullopt;
}

std::string must_be_grants() { return "rooms must be a list of objects with match and may"; }

Problem read_grant(const JsonValue& value, std::vector<Grant>& grants) {
  std::optional<JsonValue> match;
  std::optional<JsonValue> may;
  base::JsonMembers members(value);
  while (const auto member = members.next()) {
    if (member->name.equals("match")) match = member->value;
    if (member->name.equals("may")) may = member->value;
  }
  if (!match || !may || !match->is(JsonKind::string)) return must_be_grants();
  const auto permissions = permissions_in(*may);
  if (!permissions) return must_be_permissions("may of rooms");
  std::string pattern;
  match->append_text(pattern);
  auto grant = make_grant(pattern, *permissions);
  if (!grant) return "match of rooms " + grant.error().message;
  grants.push_back(std::move(*grant));
  return std::nullopt;
}

Problem read_grants(const JsonValue& value, std::vector<Grant>& grants) {
  if (!value.is(JsonKind::array)) return must_be_grants();
  base::JsonElements elements(value);
  while (const auto element = elements.next()) {
    if (grants.size() == grants_max)
      return "rooms must have at most " + std::to_string(grants_max) + " elements";
    if (auto problem = read_grant(*element, grants)) return problem;
  }
  return std::nullopt;
}

Problem read_info(const JsonValue& value, std::string& info) {
  if (value.raw().size() > Profile::info_bytes_max) {
    return "info must have at most " + std::to_string(Profile::info_bytes_max) + " bytes";
  }
  info = value.raw();
  return std::nullopt;
}

/// Reads one payload.
class Reader {
 public:
  base::Result<Profile, std::string> read(const base::JsonObject& object) {
    for (const base::JsonObject::Member& member : object.members) {
      const auto* const claim = std::find(claims.begin(), claims.end(), member.name);
      if (claim == claims.end()) continue;
      if (auto problem = take(static_cast<Claim>(claim - claims.begin()), member.value))
        return std::move(*problem);
    }
    if (profile_.id.empty()) return std::string("sub, the id of the user, is missing");
    if (may_ && profile_.only_room.empty()) return std::string("may has a meaning beside room only");
    // The ticket is good for its room alone: the pattern need not say which.
    if (may_) profile_.grants.push_back({base::NamePattern("**"), *may_});
    return std::move(profile_);
  }

 private:
  enum Claim : std::size_t { sub, name, info, roles, rooms, room, may, jti, iat, exp, count };
  static constexpr std::array<std::string_view, Claim::count> claims{"sub",  "name", "info", "roles", "rooms",
                                                                     "room", "may",  "jti",  "iat",   "exp"};

  Problem take(Claim claim, const JsonValue& value) {
    const std::string_view text = claims.at(claim);
    switch (claim) {
      case sub:
        return read_text(text, value, Profile::id_bytes_max, profile_.id);
      case name:
        return read_text(text, value, name_bytes_max, profile_.name);
      case info:
        return read_info(value, profile_.info);
      case roles:
        return read_roles(value, profile_.roles);
      case rooms:
        return read_grants(value, profile_.grants);
      case room:
        return read_text(text, value, base::NamePattern::bytes_max, profile_.only_room);
      case may:
        may_ = permissions_in(value);
        return may_ ? std::nullopt : Problem(must_be_permissions(text));
      case jti:
        return read_text(text, value, token_id_bytes_max, profile_.token_id);
      case iat:
        return read_date(text, value, profile_.issued_s);
      case exp:
        return read_date(text, value, profile_.expires_s);
      case count:
        break;
    }
    return std::nullopt;
  }

  Profile profile_;
  std::optional<PermissionSet> may_;
};

}  // namespace

bool is_profile_text(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && base::is_valid_utf8(text) &&
         !base::has_control_character(text);
}

base::Result<Grant> make_grant(std::string_view pattern, PermissionSet may) {
  if (!is_profile_text(pattern, base::NamePattern::bytes_max)) {
    return base::Error{"must be a text of 1 to " + std::to_string(base::NamePattern::bytes_max) +
                       " bytes without control characters"};
  }
  const std::size_t first = pattern.find('*');
  if (first != std::string_view::npos) {
    const std::size_t last = pattern.rfind('*');
    if (pattern.substr(first, last - first).find_first_not_of('*') != std::string_view::npos)
      return base::Error{"must have its stars in one place"};
  }
  return Grant{base::NamePattern(std::string(pattern)), may};
}

base::Result<Profile, Refusal> profile_from_claims(const base::JsonObject& claims) {
  auto profile = Reader().read(claims);
  if (!profile) return Refusal{Refusal::Code::bad_token, "claims of the token: " + profile.error()};
  return std::move(*profile);
}

}  // namespace roomcast::access

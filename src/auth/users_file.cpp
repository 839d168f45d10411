#include "auth/users_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace roomcast::auth {

namespace {

constexpr std::size_t user_id_bytes_max = 100;
constexpr std::size_t role_bytes_max = 60;
constexpr std::size_t display_name_bytes_max = 100;

bool is_word(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [punctuation](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

/// The next field of a line, and its colon.
std::string_view take_field(std::string_view& rest) {
  const std::string_view field = rest.substr(0, rest.find(':'));
  rest.remove_prefix(std::min(field.size() + 1, rest.size()));
  return field;
}

base::Result<std::vector<std::string>> parse_roles(std::string_view list) {
  std::vector<std::string> roles;
  if (list.empty()) return roles;
  for (const std::string_view role : base::list_elements(list)) {
    if (const auto problem = check_role(role)) return base::Error{*problem};
    roles.emplace_back(role);
  }
  if (roles.size() <= Users::roles_max) return roles;
  return base::Error{"a user has at most " + std::to_string(Users::roles_max) + " roles"};
}

base::Result<User> parse_line(std::string_view line) {
  std::string_view rest = line;
  const std::string_view id = take_field(rest);
  if (const auto problem = check_user_id(id)) return base::Error{*problem};
  auto password = PasswordHash::parse(take_field(rest));
  if (!password) return base::Error{"the password: " + password.error().message};
  auto roles = parse_roles(take_field(rest));
  if (!roles) return roles.error();
  if (const auto problem = check_display_name(rest)) return base::Error{*problem};
  return User{std::string(id), *std::move(password), *std::move(roles), std::string(rest)};
}

}  // namespace

std::optional<std::string> check_user_id(std::string_view id) {
  if (!id.empty() && id.size() <= user_id_bytes_max && is_word(id, "._@+-")) return std::nullopt;
  return "the name of a user is 1 to 100 letters, digits and . _ @ + -";
}

std::optional<std::string> check_role(std::string_view role) {
  if (!role.empty() && role.size() <= role_bytes_max && is_word(role, "._-")) return std::nullopt;
  return "a role is 1 to 60 letters, digits and . _ -";
}

std::optional<std::string> check_display_name(std::string_view name) {
  if (name.size() <= display_name_bytes_max && base::is_valid_utf8(name) &&
      !base::has_control_character(name))
    return std::nullopt;
  return "a display name is UTF-8 of at most 100 bytes without control characters";
}

std::string to_line(const User& user) {
  std::string line = user.id + ':' + user.password.text() + ':';
  for (std::size_t i = 0; i < user.roles.size(); ++i)
    line.append(i == 0 ? "" : ",").append(user.roles[i]);
  return line + ':' + user.name;
}

base::Result<Users> Users::parse(std::string_view text) {
  if (text.size() > file_bytes_max) return base::Error{"the users file is larger than 1 MiB"};
  Users parsed;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    auto user = parse_line(line);
    if (!user) return base::Error{"line " + std::to_string(number) + ": " + user.error().message};
    if (!parsed.places_.try_emplace(user->id, parsed.users_.size()).second)
      return base::Error{"line " + std::to_string(number) + ": there is a user " + user->id + " already"};
    parsed.users_.push_back(*std::move(user));
  }
  return parsed;
}

const User* Users::find(std::string_view id) const {
  const auto found = places_.find(id);
  return found == places_.end() ? nullptr : &users_[found->second];
}

const User* Users::find_or_stand_in(std::string_view id) const {
  if (const User* const user = find(id)) return user;
  return users_.empty() ? nullptr : &users_[base::StringHash{}(id) % users_.size()];
}

}  // namespace roomcast::auth

#include "access/row.h"

#include <algorithm>
#include <array>
#include <utility>

namespace roomcast::access {

base::Result<Who> Who::parse(std::string_view text) {
  if (text == "anyone") return Who(Kind::anyone, {});
  if (text == "user") return Who(Kind::user, {});
  constexpr std::array<std::pair<std::string_view, Kind>, 3> named{
      {{"role:", Kind::role}, {"user:", Kind::one_user}, {"key:", Kind::key}}};
  for (const auto& [prefix, kind] : named) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view name = text.substr(prefix.size());
    if (name.empty() || name.size() > Profile::id_bytes_max) {
      return base::Error{"expected a name of 1 to " + std::to_string(Profile::id_bytes_max) +
                         " bytes after the colon"};
    }
    return Who(kind, name);
  }
  return base::Error{"expected anyone, user, role:NAME, user:ID or key:NAME"};
}

bool Who::matches(const Identity& identity) const {
  switch (kind_) {
    case Kind::anyone:
      return true;
    case Kind::user:
      return identity.kind() == access::Kind::user;
    case Kind::role:
      return identity.has_role(name_);
    case Kind::one_user:
      return identity.kind() == access::Kind::user && identity.id() == name_;
    case Kind::key:
      return identity.kind() == access::Kind::key && identity.id() == name_;
  }
  return false;
}

namespace {

std::string_view before_user(std::string_view pattern) {
  return pattern.substr(0, pattern.find(RoomsOfRow::user));
}

std::optional<base::NamePattern> after_user(std::string_view pattern) {
  const std::size_t at = pattern.find(RoomsOfRow::user);
  if (at == std::string_view::npos) return std::nullopt;
  return base::NamePattern(std::string(pattern.substr(at + RoomsOfRow::user.size())));
}

}  // namespace

RoomsOfRow::RoomsOfRow(std::string_view pattern)
    : before_(std::string(before_user(pattern))),
      after_(after_user(pattern)),
      prefix_(before_user(pattern).substr(0, before_user(pattern).find('*'))) {}

bool RoomsOfRow::matches(const Identity& identity, std::string_view room) const {
  if (!room.starts_with(prefix_)) return false;
  if (!after_) return before_.matches(room);
  return identity.kind() == Kind::user && matches_user(identity.id(), room);
}

bool RoomsOfRow::matches_user(std::string_view id, std::string_view room) const {
  const bool has_stars = before_.has_stars() || after_->has_stars();
  if (has_stars && id.find('/') != std::string_view::npos) return false;
  if (id.empty()) return false;
  for (std::size_t at = room.find(id, prefix_.size()); at != std::string_view::npos;
       at = room.find(id, at + 1)) {
    if (!before_.has_stars() && at != prefix_.size()) return false;
    if (before_.matches(room.substr(0, at)) && after_->matches(room.substr(at + id.size()))) return true;
  }
  return false;
}

bool RoomsOfRow::is_everywhere() const { return !after_ && before_.matches_everything(); }

}  // namespace roomcast::access

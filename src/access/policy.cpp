#include "access/policy.h"

#include <utility>

namespace roomcast::access {

namespace {

template <class Match>
PermissionSet granted_where(const Identity& identity, const Match& match) {
  PermissionSet granted;
  for (const Grant& grant : identity.grants()) {
    if (match(grant)) granted = granted.with(grant.may);
  }
  return granted;
}

/// What there is without any row.
PermissionSet without_rows(const Identity& identity) {
  return identity.kind() == Kind::key ? PermissionSet() : PermissionSet::ordinary();
}

}  // namespace

base::Result<Policy> Policy::make(const std::vector<Row>& rows) {
  Policy policy;
  policy.compiled_.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto who = Who::parse(rows[i].who);
    if (!who) return base::Error{"access: row " + std::to_string(i + 1) + ": who: " + who.error().message};
    policy.compiled_.push_back({std::move(*who), RoomsOfRow(rows[i].rooms), rows[i].may});
  }
  policy.rows_ = rows;
  policy.index_ = RowIndex(policy.compiled_);
  return policy;
}

Decision Policy::decide(const Identity& identity, std::string_view room) const {
  Decision decision;
  const bool is_ticket = !identity.only_room().empty();
  if (is_ticket && identity.only_room() != room) {
    decision.by = Decision::By::other_room;
    return decision;
  }
  decision.granted =
      granted_where(identity, [room](const Grant& grant) { return grant.rooms.matches(room); });
  if (is_ticket) {
    decision.by = Decision::By::ticket;
    decision.may = identity.grants().empty() ? PermissionSet::ordinary() : decision.granted;
    return decision;
  }
  if (rows_.empty()) {
    decision.may = without_rows(identity).with(decision.granted);
    return decision;
  }
  decision.row = index_.first_match(compiled_, identity, room);
  decision.by = decision.row ? Decision::By::row : Decision::By::no_match;
  decision.may = decision.row ? compiled_[*decision.row].may.with(decision.granted) : decision.granted;
  return decision;
}

Decision Policy::decide_everywhere(const Identity& identity) const {
  Decision decision;
  if (!identity.only_room().empty()) {
    decision.by = Decision::By::other_room;
    return decision;
  }
  decision.granted =
      granted_where(identity, [](const Grant& grant) { return grant.rooms.matches_everything(); });
  decision.may = decision.granted;
  if (rows_.empty()) {
    decision.may = without_rows(identity).with(decision.granted);
    return decision;
  }
  decision.by = Decision::By::no_match;
  for (std::size_t i = 0; i < compiled_.size(); ++i) {
    if (!compiled_[i].rooms.is_everywhere() || !compiled_[i].who.matches(identity)) continue;
    decision.by = Decision::By::row;
    decision.row = i;
    decision.may = compiled_[i].may.with(decision.granted);
    break;
  }
  return decision;
}

PermissionSet Policy::remembered(const Identity& identity, std::string_view room) const {
  if (const auto may = cache_.find(identity, room)) return *may;
  const PermissionSet may = decide(identity, room).may;
  if (!room.empty()) cache_.remember(identity, room, may);
  return may;
}

base::Refusal Policy::refusal(const Identity& identity, Permission permission, std::string_view room) const {
  const auto code =
      identity.is_anonymous() ? base::Refusal::Code::unauthorized : base::Refusal::Code::forbidden;
  const std::string what(to_string(permission));
  switch (decide(identity, room).by) {
    case Decision::By::other_room:
      return {code, "the token is a ticket for another room than " + std::string(room)};
    case Decision::By::ticket:
      return {code,
              "the ticket does not let " + identity.principal() + " " + what + " in " + std::string(room)};
    default:
      return {code, "no access rule lets " + identity.principal() + " " + what + " in " + std::string(room)};
  }
}

std::optional<base::Refusal> Policy::check_everywhere(const Identity& identity, Permission permission) const {
  if (decide_everywhere(identity).may.has(permission)) return std::nullopt;
  return base::Refusal{
      identity.is_anonymous() ? base::Refusal::Code::unauthorized : base::Refusal::Code::forbidden,
      "no access rule for all rooms (**) gives " + identity.principal() + " the permission " +
          std::string(to_string(permission))};
}

}  // namespace roomcast::access

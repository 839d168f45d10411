#include "access/policy.h"

namespace roomcast::access {

base::Result<Policy> Policy::make(const std::vector<Row>& rows) {
  Policy policy;
  policy.rows_ = rows;
  return policy;
}

Decision Policy::decide(const Identity& /*identity*/, std::string_view /*room*/) const {
  return {PermissionSet::ordinary()};
}

bool Policy::permits(const Identity& identity, Permission permission, std::string_view room) const {
  return decide(identity, room).may.has(permission);
}

std::optional<base::Refusal> Policy::check(const Identity& identity, Permission permission,
                                           std::string_view room) const {
  if (permits(identity, permission, room)) return std::nullopt;
  return base::Refusal{
      identity.is_anonymous() ? base::Refusal::Code::unauthorized : base::Refusal::Code::forbidden,
      "no access rule lets " + identity.principal() + " " + std::string(to_string(permission)) + " in " +
          std::string(room)};
}

std::optional<base::Refusal> Policy::check_everywhere(const Identity& identity, Permission permission) const {
  return check(identity, permission, "**");
}

}  // namespace roomcast::access

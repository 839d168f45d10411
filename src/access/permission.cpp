#include "access/permission.h"

#include <array>
#include <cstddef>

namespace roomcast::access {

namespace {

// In the order of Permission.
constexpr std::array<std::string_view, 6> permission_names{"join",    "publish",  "presence",
                                                           "history", "moderate", "admin"};

}  // namespace

std::string_view to_string(Permission permission) {
  return permission_names.at(static_cast<std::size_t>(permission));
}

std::optional<Permission> permission_from(std::string_view name) {
  for (std::size_t i = 0; i < permission_names.size(); ++i) {
    if (permission_names.at(i) == name) return static_cast<Permission>(i);
  }
  return std::nullopt;
}

PermissionSet permissions_from(const std::vector<std::string>& names) {
  PermissionSet set;
  for (const std::string& name : names) {
    if (const auto permission = permission_from(name)) set.add(*permission);
  }
  return set;
}

std::string to_string(PermissionSet permissions) {
  std::string list;
  for (std::size_t i = 0; i < permission_names.size(); ++i) {
    if (!permissions.has(static_cast<Permission>(i))) continue;
    if (!list.empty()) list += ", ";
    list += permission_names.at(i);
  }
  return list.empty() ? "nothing" : list;
}

}  // namespace roomcast::access

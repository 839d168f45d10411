#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::access {

/// What a client may do in a room. `admin` is asked for where a call concerns the whole server.
enum class Permission : std::uint8_t { join, publish, presence, history, moderate, admin };

/// As configuration, tokens and answers write it: "join".
[[nodiscard]] std::string_view to_string(Permission permission);
[[nodiscard]] std::optional<Permission> permission_from(std::string_view name);

/// A set of permissions.
class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  constexpr PermissionSet(std::initializer_list<Permission> permissions) {
    for (const Permission permission : permissions)
      add(permission);
  }
  /// What an ordinary participant may: join, publish, presence, history.
  [[nodiscard]] static constexpr PermissionSet ordinary() {
    return {Permission::join, Permission::publish, Permission::presence, Permission::history};
  }

  constexpr void add(Permission permission) { bits_ = static_cast<std::uint8_t>(bits_ | bit(permission)); }
  [[nodiscard]] constexpr bool has(Permission permission) const { return (bits_ & bit(permission)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr PermissionSet with(PermissionSet others) const {
    PermissionSet both;
    both.bits_ = static_cast<std::uint8_t>(bits_ | others.bits_);
    return both;
  }
  friend constexpr bool operator==(PermissionSet, PermissionSet) = default;

 private:
  static constexpr std::uint8_t bit(Permission permission) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(permission));
  }
  std::uint8_t bits_ = 0;
};

/// The set of those that `names` name; other words are left out.
[[nodiscard]] PermissionSet permissions_from(const std::vector<std::string>& names);
/// "join, publish"; "nothing" if it is empty.
[[nodiscard]] std::string to_string(PermissionSet permissions);

}  // namespace roomcast::access

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/permission.h"
#include "base/name_block.h"
#include "base/name_pattern.h"

namespace roomcast::access {

enum class Kind : std::uint8_t {
  anonymous,
  user,
  key,  ///< a backend with an API key
};

/// How the client has proven its identity.
enum class Proof : std::uint8_t { none, token, api_key, cookie, proxy_header };

/// Permissions that an identity brings along, in the rooms whose names match.
struct Grant {
  base::NamePattern rooms;
  PermissionSet may;
};

/// What an identity is made from. Bounds are those of its source: auth checks them.
struct Profile {
  Kind kind = Kind::user;
  Proof proof = Proof::token;
  std::string id;    ///< of the user, or the name of the key; not empty, at most `id_bytes_max`
  std::string name;  ///< display name, a valid client name; empty: the id
  std::string info;  ///< JSON for other clients, at most `info_bytes_max`; may be empty
  std::vector<std::string> roles;
  std::vector<Grant> grants;
  std::string only_room;       ///< a ticket is good for this room alone; empty: for all
  std::string token_id;        ///< `jti` (RFC 7519 section 4.1.7); may be empty
  std::int64_t issued_s = 0;   ///< Unix time; 0: unknown
  std::int64_t expires_s = 0;  ///< Unix time; 0: never

  static constexpr std::size_t id_bytes_max = 100;
  static constexpr std::size_t info_bytes_max = 1'024;
};

/// Who a client is: nobody in particular (anonymous, by default), a user or an API key. Immutable; copies
/// share it, and counts are not atomic: all copies belong to the event loop's thread. One pointer, null for
/// an anonymous client.
///
/// Texts are views that live as long as a copy does.
class Identity {
 public:
  Identity() = default;
  explicit Identity(Profile&& profile);
  Identity(const Identity& other) noexcept : shared_(other.shared_) { retain(); }
  Identity(Identity&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  Identity& operator=(Identity other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~Identity() { release(); }

  [[nodiscard]] bool is_anonymous() const { return shared_ == nullptr; }
  [[nodiscard]] Kind kind() const;
  [[nodiscard]] Proof proof() const;
  /// Empty if it is anonymous.
  [[nodiscard]] std::string_view id() const;
  /// The display name; the id if it has none; empty if it is anonymous.
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::string_view info() const;
  [[nodiscard]] const std::vector<std::string>& roles() const;
  [[nodiscard]] const std::vector<Grant>& grants() const;
  [[nodiscard]] std::string_view only_room() const;
  [[nodiscard]] std::string_view token_id() const;
  [[nodiscard]] std::int64_t issued_s() const;
  [[nodiscard]] std::int64_t expires_s() const;
  /// How long it is still good for at the time `wall_ms`, with `leeway_ms` more than it says: 0 if it has run
  /// out, the largest number if it never does.
  [[nodiscard]] std::int64_t left_ms(std::int64_t wall_ms, std::int64_t leeway_ms) const;
  [[nodiscard]] bool has_role(std::string_view role) const;
  /// "user:ada", "key:ci"; "anyone" if it is anonymous: as `who` of an access rule names it.
  [[nodiscard]] std::string principal() const;
  /// The same as a view that lives as long as this; empty if it is anonymous.
  [[nodiscard]] std::string_view principal_text() const;
  /// Name and principal, which may be kept longer than the rest; none if it is anonymous.
  [[nodiscard]] base::NameRef name_block() const;
  /// Memory of what copies share.
  [[nodiscard]] std::size_t held_bytes() const;

  /// For tables of what `operator==` tells apart.
  [[nodiscard]] std::size_t hash() const { return reinterpret_cast<std::uintptr_t>(shared_) >> 4U; }

  /// Whether both are the same object, not merely alike.
  friend bool operator==(const Identity& a, const Identity& b) { return a.shared_ == b.shared_; }

 private:
  struct Shared;
  void retain() const noexcept;
  void release() noexcept;

  Shared* shared_ = nullptr;
};

}  // namespace roomcast::access

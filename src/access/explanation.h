#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity.h"
#include "access/permission.h"
#include "access/policy.h"
#include "base/result.h"

namespace roomcast::access {

/// Whether an identity may do one thing, and what decides that.
struct Explanation {
  Permission permission;
  bool permitted;
  std::optional<std::size_t> row;  ///< that decided it, from 0
  std::string because;             ///< `row 2 of access (rooms "chat/**", who "user")`
};

/// Who `text` names: "anyone", "ada" or "user:ada" with `roles`, "key:ci" with what the line of that key
/// brings, which is one of `keys`. An error says why it names nobody.
[[nodiscard]] base::Result<Identity> identity_named(std::string_view text, std::vector<std::string> roles,
                                                    std::span<const Profile> keys);

/// One for each permission, as Policy::check decides it for `room`; `admin`, which is about the whole server,
/// as Policy::check_everywhere does.
[[nodiscard]] std::vector<Explanation> explain(const Policy& policy, const Identity& identity,
                                               std::string_view room);

/// The same for people: a line that says who and where, and a line for each permission.
[[nodiscard]] std::string explanation_text(const Policy& policy, const Identity& identity,
                                           std::string_view room);

}  // namespace roomcast::access

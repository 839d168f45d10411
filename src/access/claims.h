#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "access/identity.h"
#include "access/permission.h"
#include "base/json_object.h"
#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::access {

// Bounds of what a token may bring along. Its size bounds the rest.

inline constexpr std::size_t roles_max = 32;
inline constexpr std::size_t grants_max = 32;
/// Of the display name.
inline constexpr std::size_t name_bytes_max = 100;

/// Whether `text` can be an id, a role or a name of a client: 1 to `bytes_max` bytes of UTF-8 without control
/// characters.
[[nodiscard]] bool is_profile_text(std::string_view text, std::size_t bytes_max);

/// A grant from a pattern that a stranger may have chosen. An error says what is wrong with it: a pattern has
/// at most base::NamePattern::bytes_max bytes without control characters, and stars in one place (`chat/**`,
/// `chat/*/mod`), which takes no memory beyond its text and is matched by comparing two texts.
[[nodiscard]] base::Result<Grant> make_grant(std::string_view pattern, PermissionSet may);

/// Who the payload of a token (RFC 7519) says that its bearer is. The signature, the issuer, the audience and
/// the times have been checked. The claims are
///
/// - `sub`: the id of the user, 1 to Profile::id_bytes_max bytes; required
/// - `name`: the display name, at most 100 bytes
/// - `info`: JSON for other clients, at most Profile::info_bytes_max bytes
/// - `roles`: texts, at most roles_max of as many bytes as an id
/// - `rooms`: `[{"match": PATTERN, "may": ["join", …]}, …]`, at most grants_max
/// - `room`: makes the token a ticket for this room; with `may`: for this, otherwise for what an ordinary
///   participant may
/// - `jti`, at most 200 bytes, `iat`, `exp`
///
/// and others, which are ignored. The refusal, always `bad_token`, names the claim, not what it holds.
[[nodiscard]] base::Result<Profile, base::Refusal> profile_from_claims(const base::JsonObject& claims);

}  // namespace roomcast::access

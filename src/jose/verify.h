#pragma once

#include <cstddef>
#include <optional>

#include "base/refusal.h"
#include "base/result.h"
#include "jose/claims.h"
#include "jose/key_set.h"
#include "jose/token.h"

namespace roomcast::jose {

/// How many keys are tried for one token, where it does not name one or several have its name: each costs up
/// to 0.3 ms (RSA with 8192 bits).
inline constexpr std::size_t signature_checks_max = 8;

/// Whether one of `keys` has signed the token: those that have its `kid`, then those that have none; for a
/// token without `kid` all. Refusals: unknown_key if the token names a key that is not among those with a
/// name (it may be new: the caller can fetch the keys again), else bad_token.
[[nodiscard]] std::optional<base::Refusal> check_signature(const ParsedToken& token, const KeySet& keys);

/// Checks the signature of `token`, then what it says: its payload is not looked at before. The claims, or
/// the refusals of check_signature, read_claims and check_claims.
[[nodiscard]] base::Result<Claims, base::Refusal> verify(const ParsedToken& token, const KeySet& keys,
                                                         const Expectations& expectations);

}  // namespace roomcast::jose

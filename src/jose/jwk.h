#pragma once

#include "base/json_reader.h"
#include "base/result.h"
#include "jose/algorithm.h"
#include "jose/key.h"
#include "jose/key_set.h"

namespace roomcast::jose {

/// Reads one JWK (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2), an object without duplicate
/// members. The key is bound to those of `allowed` that its type and its `alg` permit. Errors say why it
/// is not used.
[[nodiscard]] base::Result<Key> read_jwk(const base::JsonValue& jwk, AlgorithmSet allowed, JwksOrigin origin);

}  // namespace roomcast::jose

#pragma once

#include <string_view>

#include "base/result.h"

namespace roomcast::hub {

/// Checks a room name: 1–200 bytes of UTF-8, no control characters (C0, DEL, C1), no
/// leading or trailing '/', and between slashes no empty part, "." or ".." (proxies would remove them).
/// The error says which rule was broken.
struct NameIsValid {};
[[nodiscard]] base::Result<NameIsValid> check_room_name(std::string_view name);

/// Checks the name of a client: at most 100 bytes of UTF-8, no control characters; may be empty.
[[nodiscard]] base::Result<NameIsValid> check_client_name(std::string_view name);

/// Checks an idempotency key: 1–200 bytes of printable ASCII. The error says which rule was broken.
[[nodiscard]] base::Result<NameIsValid> check_idempotency_key(std::string_view key);

}  // namespace roomcast::hub

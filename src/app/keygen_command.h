#pragma once

#include <span>
#include <string>
#include <string_view>

namespace roomcast::app {

/// `roomcast keygen [--name NAME] [--may PERMISSION,…] [--rooms PATTERN,…]`: prints a new API key, and the
/// lines of the configuration that let it in. `arguments` are those behind `keygen`. Returns the exit code:
/// 0, or 2 for wrong usage.
[[nodiscard]] int run_keygen_command(std::span<const std::string_view> arguments);

/// A new random key: "rck_" and 32 bytes in base64url.
[[nodiscard]] std::string make_api_key();
/// What the configuration has of `key`: "sha256:" and the digest of its text in hexadecimal.
[[nodiscard]] std::string api_key_hash(std::string_view key);

}  // namespace roomcast::app

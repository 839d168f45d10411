#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"

namespace roomcast::config {

// Elements of auth.tokens, auth.keys and access: read_element and write_element as of
// config/array_elements.h.

[[nodiscard]] std::optional<ElementError> read_element(const Table& table, TokenKeys& keys);
[[nodiscard]] std::optional<ElementError> read_element(const Table& table, ApiKey& key);
[[nodiscard]] std::optional<ElementError> read_element(const Table& table, AccessRule& rule);

[[nodiscard]] std::string write_element(const TokenKeys& keys, Secrets secrets);
[[nodiscard]] std::string write_element(const ApiKey& key, Secrets secrets);
[[nodiscard]] std::string write_element(const AccessRule& rule, Secrets secrets);

[[nodiscard]] std::string token_keys_keys();
[[nodiscard]] std::string api_key_keys();
[[nodiscard]] std::string access_rule_keys();

/// What the texts under a key of `auth.keys` and `access` are.
[[nodiscard]] std::optional<TextForm> api_key_form(std::string_view key);
[[nodiscard]] std::optional<TextForm> access_rule_form(std::string_view key);

/// Two keys of one name: logs and rows of `access` could not tell them apart.
[[nodiscard]] std::optional<ElementError> check_elements(const std::vector<Table>& tables,
                                                         const std::vector<ApiKey>& keys);

/// Most patterns in `rooms` of one key.
inline constexpr std::size_t api_key_rooms_max = 100;

}  // namespace roomcast::config

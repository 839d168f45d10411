#include "config/auth_elements.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/name_pattern.h"
#include "base/text.h"
#include "config/element_fields.h"

namespace roomcast::config {

namespace {

// Of paths and URLs.
constexpr std::size_t locator_bytes_max = 4'096;
// Of names and ids.
constexpr std::size_t name_bytes_max = 100;
constexpr std::size_t secret_bytes_max = 4'096;
constexpr std::size_t who_bytes_max = name_bytes_max + 5;
constexpr std::string_view user_placeholder = "{user}";

struct Algorithm {
  std::string_view name;
  std::size_t secret_bytes;  // the least (RFC 7518 section 3.2); 0: not signed with a secret
};
constexpr std::array<Algorithm, 10> algorithms{{{"HS256", 32},
                                                {"HS384", 48},
                                                {"HS512", 64},
                                                {"RS256", 0},
                                                {"RS384", 0},
                                                {"RS512", 0},
                                                {"PS256", 0},
                                                {"ES256", 0},
                                                {"ES384", 0},
                                                {"EdDSA", 0}}};

const Algorithm* find_algorithm(std::string_view name) {
  const auto* found = std::find_if(algorithms.begin(), algorithms.end(),
                                   [name](const Algorithm& one) { return one.name == name; });
  return found == algorithms.end() ? nullptr : found;
}

bool is_algorithm(std::string_view text) { return find_algorithm(text) != nullptr; }
bool is_locator(std::string_view text) { return !text.empty() && text.size() <= locator_bytes_max; }
bool is_name(std::string_view text) { return !text.empty() && text.size() <= name_bytes_max; }
bool is_secret(std::string_view text) {
  return text.size() >= algorithms.front().secret_bytes && text.size() <= secret_bytes_max;
}
bool is_who(std::string_view text) { return !text.empty() && text.size() <= who_bytes_max; }
bool is_any(std::string_view /*text*/) { return true; }
bool is_pattern(std::string_view text) {
  return !text.empty() && text.size() <= base::NamePattern::bytes_max;
}
bool is_access_pattern(std::string_view text) {
  return is_pattern(text) && text.find(user_placeholder) == text.rfind(user_placeholder);
}

/// Over plain http an attacker on the network could replace the keys by his own.
bool is_authentic_url(std::string_view url) {
  constexpr std::string_view secure = "https://";
  constexpr std::string_view plain = "http://";
  if (!is_locator(url) || url.find(' ') != std::string_view::npos) return false;
  const bool is_secure = url.starts_with(secure);
  if (!is_secure && !url.starts_with(plain)) return false;
  const std::string_view after_scheme = url.substr(is_secure ? secure.size() : plain.size());
  const std::string_view authority = after_scheme.substr(0, after_scheme.find_first_of("/?#"));
  if (authority.empty() || authority.find('@') != std::string_view::npos) return false;
  if (is_secure) return true;
  const std::string_view host =
      authority.substr(0, authority.starts_with('[') ? authority.find(']') + 1
                                                     : std::min(authority.find(':'), authority.size()));
  return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

bool is_hash(std::string_view text) {
  constexpr std::string_view scheme = "sha256:";
  return text.starts_with(scheme) && text.size() == scheme.size() + 64 &&
         text.find_first_not_of("0123456789abcdefABCDEF", scheme.size()) == std::string_view::npos;
}

constexpr std::string_view path_expected = "the path of a file";
constexpr std::string_view pattern_expected = "an array of patterns for names of rooms, 1 to 200 bytes each";
constexpr std::string_view may_expected = "an array of permissions";

const std::array<ElementField<TokenKeys>, 8> token_keys_fields{{
    {"algorithms", &TokenKeys::algorithms, is_algorithm,
     "an array of HS256, HS384, HS512, RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA"},
    {"secret", &TokenKeys::secret, is_secret, "a text of 32 to 4096 bytes", true},
    {"secret_file", &TokenKeys::secret_file, is_locator, path_expected},
    {"key_file", &TokenKeys::key_file, is_locator, "the path of a PEM file"},
    {"jwks_file", &TokenKeys::jwks_file, is_locator, path_expected},
    {"jwks_url", &TokenKeys::jwks_url, is_authentic_url,
     "an https:// URL, or an http:// one on 127.0.0.1, [::1] or localhost (over plain http an attacker on "
     "the network could replace the keys)"},
    {"issuer", &TokenKeys::issuer, is_locator, "a text, 1 to 4096 bytes"},
    {"audience", &TokenKeys::audience, is_locator, "an array of texts, 1 to 4096 bytes each"},
}};

const std::array<ElementField<ApiKey>, 4> api_key_fields{{
    {"name", &ApiKey::name, is_name, "a text, 1 to 100 bytes without control characters"},
    {"hash", &ApiKey::hash, is_hash, "sha256: and 64 hexadecimal digits, as roomcast keygen prints it", true},
    {"may", &ApiKey::may, is_any, may_expected, false, TextForm::permission},
    {"rooms", &ApiKey::rooms, is_pattern, pattern_expected},
}};

const std::array<ElementField<AccessRule>, 3> access_rule_fields{{
    {"rooms", &AccessRule::rooms, is_access_pattern,
     "a pattern for names of rooms, 1 to 200 bytes without control characters, with {user} at most once"},
    {"who", &AccessRule::who, is_who, "anyone, user, role:NAME, user:ID or key:NAME", false, TextForm::who},
    {"may", &AccessRule::may, is_any, may_expected, false, TextForm::permission},
}};

template <class Element, std::size_t count>
std::span<const ElementField<Element>> fields_of(const std::array<ElementField<Element>, count>& fields) {
  return fields;
}

bool has(const Table& table, std::string_view key) {
  return std::any_of(table.items.begin(), table.items.end(),
                     [key](const Table::Item& item) { return item.key == key; });
}

constexpr std::array<std::string_view, 5> key_sources{"secret", "secret_file", "key_file", "jwks_file",
                                                      "jwks_url"};

std::optional<ElementError> check_source(const Table& table) {
  std::string given;
  std::size_t count = 0;
  Place place = table.place;
  for (const std::string_view source : key_sources) {
    if (!has(table, source)) continue;
    if (++count > 1) given += " and ";
    given += source;
    place = place_of(table, source);
  }
  if (count == 1) return std::nullopt;
  return ElementError{
      "expected exactly one of secret, secret_file, key_file, jwks_file and jwks_url in every element, "
      "found " +
          (count == 0 ? "none" : given),
      place};
}

/// A public key taken for a secret would let everybody sign.
std::optional<ElementError> check_algorithms(const Table& table, const TokenKeys& keys) {
  if (keys.algorithms.empty()) return missing_key(table, "algorithms");
  const bool has_secret = !keys.secret.empty() || !keys.secret_file.empty();
  for (const std::string& name : keys.algorithms) {
    const Algorithm& algorithm = *find_algorithm(name);
    const std::string what = "algorithms: " + name + " needs ";
    const Place place = place_of(table, "algorithms");
    if (algorithm.secret_bytes > 0 && !has_secret) {
      return ElementError{what + "secret or secret_file", place};
    }
    if (algorithm.secret_bytes == 0 && has_secret) {
      return ElementError{
          what + "key_file, jwks_file or jwks_url: a secret is good for HS256, HS384 and HS512", place};
    }
    if (!keys.secret.empty() && keys.secret.size() < algorithm.secret_bytes) {
      return ElementError{"secret: expected at least " + std::to_string(algorithm.secret_bytes) +
                              " bytes for " + name + ", found " + std::to_string(keys.secret.size()),
                          place_of(table, "secret")};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ElementError> read_element(const Table& table, TokenKeys& keys) {
  if (auto error = read_fields(fields_of(token_keys_fields), table, keys)) return error;
  if (auto error = check_source(table)) return error;
  return check_algorithms(table, keys);
}

std::optional<ElementError> read_element(const Table& table, ApiKey& key) {
  if (auto error = read_fields(fields_of(api_key_fields), table, key)) return error;
  for (const std::string_view required : {"name", "hash"}) {
    if (!has(table, required)) return missing_key(table, required);
  }
  key.hash = base::lower_case(key.hash);
  if (key.rooms.size() > api_key_rooms_max) {
    return ElementError{"rooms: expected at most " + std::to_string(api_key_rooms_max) + " patterns, found " +
                            std::to_string(key.rooms.size()),
                        place_of(table, "rooms")};
  }
  if (key.may.empty() == key.rooms.empty()) return std::nullopt;
  return ElementError{"expected may and rooms together, found " +
                          std::string(key.may.empty() ? "rooms" : "may") + " alone in the key " +
                          describe(key.name),
                      table.place};
}

std::optional<ElementError> read_element(const Table& table, AccessRule& rule) {
  if (auto error = read_fields(fields_of(access_rule_fields), table, rule)) return error;
  for (const auto& field : access_rule_fields) {
    if (!has(table, field.key)) return missing_key(table, field.key);
  }
  return std::nullopt;
}

std::string write_element(const TokenKeys& keys, Secrets secrets) {
  return write_fields(fields_of(token_keys_fields), keys, secrets);
}
std::string write_element(const ApiKey& key, Secrets secrets) {
  return write_fields(fields_of(api_key_fields), key, secrets);
}
std::string write_element(const AccessRule& rule, Secrets secrets) {
  return write_fields(fields_of(access_rule_fields), rule, secrets, "may");
}

std::string token_keys_keys() {
  return "algorithms and one of secret, secret_file, key_file, jwks_file and jwks_url, and perhaps issuer "
         "and "
         "audience";
}
std::string api_key_keys() { return "name, hash, may and rooms"; }
std::string access_rule_keys() { return "rooms, who and may"; }

std::optional<TextForm> api_key_form(std::string_view key) { return form_of(fields_of(api_key_fields), key); }
std::optional<TextForm> access_rule_form(std::string_view key) {
  return form_of(fields_of(access_rule_fields), key);
}

std::optional<ElementError> check_elements(const std::vector<Table>& tables,
                                           const std::vector<ApiKey>& keys) {
  std::vector<std::pair<std::string_view, std::size_t>> names;
  names.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i)
    names.emplace_back(keys[i].name, i);
  std::sort(names.begin(), names.end());
  const auto same = std::adjacent_find(names.begin(), names.end(),
                                       [](const auto& a, const auto& b) { return a.first == b.first; });
  if (same == names.end()) return std::nullopt;
  return ElementError{"name: " + describe(std::string(same->first)) + " is the name of two keys",
                      place_of(tables[(same + 1)->second], "name")};
}

}  // namespace roomcast::config

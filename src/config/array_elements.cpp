#include "config/array_elements.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/json.h"
#include "config/element_fields.h"
#include "config/schema.h"
#include "config/spelling.h"

namespace roomcast::config {

namespace {

constexpr std::string_view match_key = "match";
// Names of rooms are not longer than this.
constexpr std::size_t match_bytes_max = 200;

/// Settings of rooms alone are called the same in `rooms`.
std::string override_key(const Setting& setting) {
  if (section_of(setting) == "room_defaults") return std::string(key_of(setting));
  return std::string(section_of(setting)) + "_" + std::string(key_of(setting));
}

const Setting* find_overridden(std::string_view key) {
  const auto rows = settings();
  const auto found = std::find_if(rows.begin(), rows.end(), [key](const Setting& setting) {
    return setting.per_room && override_key(setting) == key;
  });
  return found == rows.end() ? nullptr : &*found;
}

/// The keys of an element of `rooms` besides `match`.
std::vector<std::string> override_keys() {
  std::vector<std::string> keys;
  for (const Setting& setting : settings()) {
    if (setting.per_room) keys.push_back(override_key(setting));
  }
  return keys;
}

ElementError unknown_key(const Table::Item& item) {
  std::vector<std::string> known = override_keys();
  known.emplace_back(match_key);
  return {"unknown key " + describe(item.key) + did_you_mean(item.key, known), item.place};
}

std::optional<std::string> read_match(const Scalar& value, RoomRule& rule) {
  const auto* pattern = std::get_if<std::string>(&value);
  if (pattern == nullptr || pattern->empty() || pattern->size() > match_bytes_max || !is_clean(*pattern)) {
    return "match: expected a pattern for names of rooms, 1 to " + std::to_string(match_bytes_max) +
           " bytes without control characters, found " + describe(to_value(value));
  }
  rule.match = *pattern;
  return std::nullopt;
}

std::optional<std::string> read_override(const Setting& setting, const Table::Item& item, RoomRule& rule) {
  Config scratch;
  const Value value = to_value(item.value);
  if (const auto problem = assign(setting, value, scratch)) return item.key + ": " + *problem;
  rule.overrides.emplace_back(setting.name, value);
  return std::nullopt;
}

bool is_path(std::string_view /*text*/) { return true; }

const std::array<ElementField<Certificate>, 2> certificate_fields{{
    {"certificate", &Certificate::certificate, is_path, "the path of a PEM file"},
    {"key", &Certificate::key, is_path, "the path of a PEM file"},
}};

}  // namespace

std::string describe_secret(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return "a text of " + std::to_string(text->size()) + " bytes";
  if (const auto* other = std::get_if<Unsuitable>(&value)) return other->what;
  return std::holds_alternative<std::vector<std::string>>(value) ? "an array" : "something else";
}

Place place_of(const Table& table, std::string_view key) {
  for (const Table::Item& item : table.items) {
    if (item.key == key) return item.place;
  }
  return table.place;
}

ElementError missing_key(const Table& table, std::string_view key) {
  return {"expected " + std::string(key) + " in every element, found one without", table.place};
}

std::optional<ElementError> read_element(const Table& table, Certificate& certificate) {
  const std::span<const ElementField<Certificate>> fields = certificate_fields;
  if (auto error = read_fields(fields, table, certificate)) return error;
  if (!certificate.certificate.empty() && !certificate.key.empty()) return std::nullopt;
  return ElementError{"expected both certificate and key in every element, found one without " +
                          std::string(certificate.certificate.empty() ? "certificate" : "key"),
                      table.place};
}

std::string write_element(const Certificate& certificate, Secrets secrets) {
  return write_fields(std::span<const ElementField<Certificate>>(certificate_fields), certificate, secrets);
}

std::string certificate_keys() { return "certificate and key"; }

std::string room_rule_keys() {
  std::string out = "match and any of ";
  const std::vector<std::string> keys = override_keys();
  for (const std::string& key : keys)
    out += (&key == keys.data() ? "" : ", ") + key;
  return out;
}

std::optional<ElementError> read_element(const Table& table, RoomRule& rule) {
  for (const Table::Item& item : table.items) {
    const Setting* overridden = find_overridden(item.key);
    if (overridden == nullptr && item.key != match_key) return unknown_key(item);
    const auto problem =
        overridden == nullptr ? read_match(item.value, rule) : read_override(*overridden, item, rule);
    if (problem) return ElementError{*problem, item.place};
  }
  if (rule.match.empty()) return missing_key(table, match_key);
  return std::nullopt;
}

std::string write_element(const RoomRule& rule, Secrets secrets) {
  Config overridden;
  std::string out = "{ match = ";
  base::append_json_string(out, rule.match);
  for (const auto& [name, value] : rule.overrides) {
    const Setting& setting = *find_setting(name);
    (void)assign(setting, value, overridden);  // checked
    out += ", " + override_key(setting) + " = " + to_toml(setting, overridden, secrets);
  }
  return out + " }";
}

ConfigInRooms::ConfigInRooms(const Config& general) : general_(general), overridden_(general) {}

const Config& ConfigInRooms::with(const RoomRule& rule) {
  for (const Setting* setting : different_)
    copy_setting(*setting, general_, overridden_);
  different_.clear();
  for (const auto& [name, value] : rule.overrides) {
    different_.push_back(find_setting(name));
    (void)assign(*different_.back(), value, overridden_);  // checked
  }
  return overridden_;
}

}  // namespace roomcast::config

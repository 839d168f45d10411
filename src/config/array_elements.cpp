#include "config/array_elements.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/json.h"
#include "config/schema.h"
#include "config/spelling.h"

namespace roomcast::config {

namespace {

constexpr std::string_view match_key = "match";
// Names of rooms are not longer than this.
constexpr std::size_t match_bytes_max = 200;

std::string override_key(const Setting& setting) {
  return std::string(section_of(setting)) + "_" + std::string(key_of(setting));
}

const Setting* find_overridden(std::string_view key) {
  const auto rows = settings();
  const auto found = std::find_if(rows.begin(), rows.end(), [key](const Setting& setting) {
    return setting.per_room && override_key(setting) == key;
  });
  return found == rows.end() ? nullptr : &*found;
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

}  // namespace

std::optional<ElementError> read_certificate(const Table& table, Certificate& certificate) {
  for (const Table::Item& item : table.items) {
    if (item.key != "certificate" && item.key != "key") {
      return ElementError{"expected the keys certificate and key, found " + describe(item.key), item.place};
    }
    const auto* path = std::get_if<std::string>(&item.value);
    if (path == nullptr || !is_clean(*path)) {
      return ElementError{
          item.key + ": expected the path of a PEM file, found " + describe(to_value(item.value)),
          item.place};
    }
    (item.key == "key" ? certificate.key : certificate.certificate) = *path;
  }
  if (!certificate.certificate.empty() && !certificate.key.empty()) return std::nullopt;
  return ElementError{"expected both certificate and key in every element, found one without " +
                          std::string(certificate.key.empty() ? "key" : "certificate"),
                      table.place};
}

std::vector<std::string> override_keys() {
  std::vector<std::string> keys;
  for (const Setting& setting : settings()) {
    if (setting.per_room) keys.push_back(override_key(setting));
  }
  return keys;
}

std::optional<ElementError> read_room_rule(const Table& table, RoomRule& rule) {
  for (const Table::Item& item : table.items) {
    const Setting* overridden = find_overridden(item.key);
    if (overridden == nullptr && item.key != match_key) return unknown_key(item);
    const auto problem =
        overridden == nullptr ? read_match(item.value, rule) : read_override(*overridden, item, rule);
    if (problem) return ElementError{*problem, item.place};
  }
  if (rule.match.empty())
    return ElementError{"expected match in every element, found one without", table.place};
  return std::nullopt;
}

std::string rule_to_toml(const RoomRule& rule) {
  Config overridden;
  std::string out = "{ match = ";
  base::append_json_string(out, rule.match);
  for (const auto& [name, value] : rule.overrides) {
    const Setting& setting = *find_setting(name);
    (void)assign(setting, value, overridden);  // checked
    out += ", " + override_key(setting) + " = " + to_toml(setting, overridden);
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

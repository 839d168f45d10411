#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"

namespace roomcast::config {

// An element of an array of tables is read and written by its overloads of `read_element` and
// `write_element`; those of `auth` and `access` are in config/auth_elements.h.

[[nodiscard]] std::optional<ElementError> read_element(const Table& table, Certificate& certificate);
[[nodiscard]] std::optional<ElementError> read_element(const Table& table, RoomRule& rule);

[[nodiscard]] std::string write_element(const Certificate& certificate, Secrets secrets);
/// `{ match = "chat/**", history_messages = 5 }`
[[nodiscard]] std::string write_element(const RoomRule& rule, Secrets secrets);

[[nodiscard]] std::string certificate_keys();
/// `match`, and what overrides a setting: "history_messages" that of history.messages, if the table marks it
/// as per room.
[[nodiscard]] std::string room_rule_keys();

/// What is wrong with elements beside each other: nothing, unless there is an overload for them.
template <class Element>
[[nodiscard]] std::optional<ElementError> check_elements(const std::vector<Table>& /*tables*/,
                                                         const std::vector<Element>& /*elements*/) {
  return std::nullopt;
}

template <class Element>
[[nodiscard]] std::optional<ElementError> read_elements(const std::vector<Table>& tables,
                                                        std::vector<Element>& member) {
  std::vector<Element> elements;
  elements.reserve(tables.size());
  for (const Table& table : tables) {
    if (auto error = read_element(table, elements.emplace_back())) return error;
  }
  if (auto error = check_elements(tables, elements)) return error;
  member = std::move(elements);
  return std::nullopt;
}

template <class Element>
[[nodiscard]] std::string write_elements(const std::vector<Element>& elements, Secrets secrets) {
  std::string out = "[";
  for (const Element& element : elements) {
    if (out.size() > 1) out += ", ";
    out += write_element(element, secrets);
  }
  return out + "]";
}

/// A configuration as it is in the rooms of one rule after the other, copied once for all of them.
class ConfigInRooms {
 public:
  /// `general` outlives this.
  explicit ConfigInRooms(const Config& general);
  /// Valid until the next call.
  [[nodiscard]] const Config& with(const RoomRule& rule);

 private:
  const Config& general_;
  Config overridden_;
  std::vector<const Setting*> different_;  // in `overridden_`
};

}  // namespace roomcast::config

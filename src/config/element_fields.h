#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "config/schema.h"
#include "config/spelling.h"
#include "config/value.h"

namespace roomcast::config {

/// One key of the elements of an array of tables: a text, or an array of texts.
template <class Element>
struct ElementField {
  std::string_view key;
  std::variant<std::string Element::*, std::vector<std::string> Element::*> member;
  bool (*is_valid)(std::string_view text);  ///< of each text
  std::string_view expected;                ///< what is valid, in words
  bool is_secret = false;                   ///< never printed, and not part of an error
  std::optional<TextForm> form{};           ///< validated by the code that will parse it, besides
};

/// What error messages call a value that may be a secret: of what kind it is, and no more.
[[nodiscard]] std::string describe_secret(const Scalar& value);

/// Where the value of `key` stands; the place of the table if it has none.
[[nodiscard]] Place place_of(const Table& table, std::string_view key);

/// "expected KEY in every element, found one without"
[[nodiscard]] ElementError missing_key(const Table& table, std::string_view key);

template <class Element>
[[nodiscard]] std::optional<std::string> read_field(const ElementField<Element>& field, const Scalar& value,
                                                    Element& element) {
  const auto unexpected = [&field](const Scalar& found) {
    return std::string(field.key) + ": expected " + std::string(field.expected) + ", found " +
           (field.is_secret ? describe_secret(found) : describe(to_value(found)));
  };
  if (const auto* text = std::get_if<std::string Element::*>(&field.member)) {
    const auto* given = std::get_if<std::string>(&value);
    if (given == nullptr || !is_clean(*given) || !field.is_valid(*given)) return unexpected(value);
    element.*(*text) = *given;
    return std::nullopt;
  }
  const auto* given = std::get_if<std::vector<std::string>>(&value);
  if (given == nullptr) return unexpected(value);
  for (const std::string& text : *given) {
    if (!is_clean(text) || !field.is_valid(text)) return unexpected(text);
  }
  element.*std::get<std::vector<std::string> Element::*>(field.member) = *given;
  return std::nullopt;
}

/// Reads what `table` holds; that something is missing is for the caller to find.
template <class Element>
[[nodiscard]] std::optional<ElementError> read_fields(std::span<const ElementField<Element>> fields,
                                                      const Table& table, Element& element) {
  for (const Table::Item& item : table.items) {
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&item](const auto& one) { return one.key == item.key; });
    if (field == fields.end()) {
      std::vector<std::string> known;
      for (const auto& one : fields)
        known.emplace_back(one.key);
      return ElementError{"unknown key " + describe(item.key) + did_you_mean(item.key, known), item.place};
    }
    if (const auto problem = read_field(*field, item.value, element)) {
      return ElementError{*problem, item.place};
    }
  }
  return std::nullopt;
}

/// `{ name = "ci", may = ["publish"] }`: what is not empty, and texts under the keys `always`.
template <class Element>
[[nodiscard]] std::string write_fields(std::span<const ElementField<Element>> fields, const Element& element,
                                       Secrets secrets, std::string_view always = {}) {
  std::string out;
  const auto add_text = [&out, secrets](const ElementField<Element>& field, std::string_view text) {
    const bool hidden = field.is_secret && secrets == Secrets::redacted;
    base::append_json_string(out, hidden ? "\xE2\x80\xA6" : text);
  };
  for (const ElementField<Element>& field : fields) {
    const auto* text = std::get_if<std::string Element::*>(&field.member);
    const auto* list = std::get_if<std::vector<std::string> Element::*>(&field.member);
    const bool is_empty = text != nullptr ? (element.*(*text)).empty() : (element.*(*list)).empty();
    if (is_empty && field.key != always) continue;
    out += std::string(out.empty() ? "{ " : ", ") + std::string(field.key) + " = ";
    if (text != nullptr) {
      add_text(field, element.*(*text));
      continue;
    }
    out += "[";
    for (const std::string& one : element.*(*list)) {
      if (!out.ends_with('[')) out += ", ";
      add_text(field, one);
    }
    out += "]";
  }
  return out + " }";
}

/// What the texts under `key` are, if they are validated elsewhere.
template <class Element>
[[nodiscard]] std::optional<TextForm> form_of(std::span<const ElementField<Element>> fields,
                                              std::string_view key) {
  for (const auto& field : fields) {
    if (field.key == key) return field.form;
  }
  return std::nullopt;
}

}  // namespace roomcast::config

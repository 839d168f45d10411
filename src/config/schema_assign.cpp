// Values going into a Config: from text, by type and within their range.

#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "config/schema.h"

namespace roomcast::config {
namespace {

/// Why a value does not suit its setting; nothing if it does.
using AssignError = std::optional<std::string>;

std::string unexpected(const Setting& setting, const Value& value) {
  return "expected " + expectation(setting) + ", found " + describe(value);
}

/// The number that the whole of `text` is.
template <class Number>
std::optional<Number> number_in(std::string_view text, int base_or_nothing = 10) {
  Number number{};
  std::from_chars_result result{};
  if constexpr (std::is_integral_v<Number>) {
    result = std::from_chars(text.data(), text.data() + text.size(), number, base_or_nothing);
  } else {
    result = std::from_chars(text.data(), text.data() + text.size(), number);
  }
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    return std::nullopt;
  return number;
}

template <class Number>
Value number_or_text(std::string_view text) {
  if (const auto number = number_in<Number>(text)) return *number;
  return std::string(text);
}

Value flag_or_text(std::string_view text) {
  for (const std::string_view yes : {"true", "on", "yes", "1"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "off", "no", "0"}) {
    if (text == no) return false;
  }
  return std::string(text);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    while (item.starts_with(' '))
      item.remove_prefix(1);
    while (item.ends_with(' '))
      item.remove_suffix(1);
    out.emplace_back(item);
  }
  return out;
}

struct TextParser {
  std::string_view text;

  Value operator()(const Flag&) const { return flag_or_text(text); }
  Value operator()(const Whole&) const { return number_or_text<std::int64_t>(text); }
  Value operator()(const Seconds&) const { return number_or_text<double>(text); }
  Value operator()(const OneOf&) const { return std::string(text); }
  Value operator()(const Text&) const { return std::string(text); }
  Value operator()(const FileMode&) const { return std::string(text); }
  Value operator()(const TextList&) const { return split_list(text); }
  Value operator()(const TableList&) const { return std::string(text); }
};

struct Assigner {
  const Setting& setting;
  const Value& value;
  Config& config;
  Place* place;

  [[nodiscard]] AssignError refuse() const { return unexpected(setting, value); }

  AssignError operator()(const Flag& flag) const {
    const bool* given = std::get_if<bool>(&value);
    if (given == nullptr) return refuse();
    flag.member(config) = *given;
    return std::nullopt;
  }

  AssignError operator()(const Whole& whole) const {
    const auto* given = std::get_if<std::int64_t>(&value);
    if (given == nullptr || *given < 0) return refuse();
    const auto number = static_cast<std::uint64_t>(*given);
    if (number < whole.min || number > whole.max) return refuse();
    whole.member(config) = number;
    return std::nullopt;
  }

  AssignError operator()(const Seconds& seconds) const {
    double ms = 0;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      ms = static_cast<double>(*whole) * 1000;
    } else if (const auto* fraction = std::get_if<double>(&value)) {
      ms = *fraction * 1000;
    } else {
      return refuse();
    }
    // Written so that a NaN is refused too.
    if (!(ms >= static_cast<double>(seconds.min_ms) && ms <= static_cast<double>(seconds.max_ms))) {
      return refuse();
    }
    seconds.member(config) = std::llround(ms);
    return std::nullopt;
  }

  AssignError operator()(const OneOf& choice) const {
    const auto* given = std::get_if<std::string>(&value);
    if (given == nullptr) return refuse();
    for (std::size_t i = 0; i < choice.words.size(); ++i) {
      if (*given != choice.words[i]) continue;
      choice.set(config, i);
      return std::nullopt;
    }
    return refuse();
  }

  AssignError operator()(const Text& text) const {
    const auto* given = std::get_if<std::string>(&value);
    if (given == nullptr || !is_clean(*given)) return refuse();
    text.member(config) = *given;
    return std::nullopt;
  }

  AssignError operator()(const TextList& list) const {
    const auto* given = std::get_if<std::vector<std::string>>(&value);
    // An address may have a password in it, which nobody is shown.
    const bool may_be_secret = list.form == TextForm::redis_server;
    if (given == nullptr && may_be_secret && std::holds_alternative<std::string>(value))
      return "expected " + expectation(setting) + ", found a text";
    if (given == nullptr) return refuse();
    if (given->empty() && !list.may_be_empty) return "expected " + expectation(setting) + ", found none";
    for (const std::string& text : *given) {
      if (!text.empty() && is_clean(text)) continue;
      if (may_be_secret && !text.empty())
        return "expected " + expectation(setting) + ", found one with control characters, or not in UTF-8";
      return unexpected(setting, text);
    }
    list.member(config) = *given;
    return std::nullopt;
  }

  AssignError operator()(const FileMode& mode) const {
    const auto* given = std::get_if<std::string>(&value);
    if (given == nullptr) return refuse();
    const auto bits = number_in<std::uint32_t>(*given, 8);
    if (!bits || *bits > 0777) return refuse();
    mode.member(config) = *bits;
    return std::nullopt;
  }

  AssignError operator()(const TableList& list) const {
    // An array without elements does not show what they would be.
    const auto* no_elements = std::get_if<std::vector<std::string>>(&value);
    const auto* tables = std::get_if<std::vector<Table>>(&value);
    if (tables == nullptr && (no_elements == nullptr || !no_elements->empty())) {
      // Not what: it could be a secret.
      const bool is_text = std::holds_alternative<std::string>(value);
      return "expected " + expectation(setting) + ", found " + (is_text ? "a text" : describe(value));
    }
    if (tables != nullptr && tables->size() > list.max) {
      return "expected " + expectation(setting) + ", found " + std::to_string(tables->size()) + " tables";
    }
    const auto error = list.read(tables == nullptr ? std::vector<Table>() : *tables, config);
    if (!error) return std::nullopt;
    if (place != nullptr) *place = error->place;
    return error->what;
  }
};

}  // namespace

Value parse_text(const Setting& setting, std::string_view text) {
  return std::visit(TextParser{text}, setting.kind);
}

AssignError assign(const Setting& setting, const Value& value, Config& config, Place* place) {
  return std::visit(Assigner{setting, value, config, place}, setting.kind);
}

}  // namespace roomcast::config

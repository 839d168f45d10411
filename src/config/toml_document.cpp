#include "config/toml_document.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <sstream>
#include <toml.hpp>
#include <tuple>

#include "base/text.h"

namespace roomcast::config {
namespace {

/// The parser recurses for every bracket. Far more than can be needed: brackets in texts and comments count
/// too.
constexpr std::size_t depth_max = 100;

// What differs between toml11 3 (Debian 12) and 4 (Debian 13).
#if TOML11_VERSION_MAJOR >= 4

std::size_t line_of(const toml::source_location& at) { return at.first_line_number(); }
std::size_t column_of(const toml::source_location& at) { return at.first_column_number(); }
const std::string& text_of(const toml::value& value) { return value.as_string(); }

/// Line `number`, counted from 1, without its end; cut where it is long.
std::string line_at(std::string_view text, std::size_t number) {
  constexpr std::size_t shown_bytes = 80;
  for (; number > 1; --number)
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  return std::string(text.substr(0, std::min(text.find('\n'), shown_bytes)));
}

class Places {
 public:
  explicit Places(std::string_view /*text*/) {}
  [[nodiscard]] Place of(const toml::value& value) const {
    const auto at = value.location();
    return {line_of(at), column_of(at)};
  }
};

base::Result<toml::value, TomlError> parse(std::string_view text) {
  auto parsed = toml::try_parse(std::vector<unsigned char>(text.begin(), text.end()), "config");
  if (parsed.is_ok()) return std::move(parsed.unwrap());
  const auto& errors = parsed.unwrap_err();
  if (errors.empty()) return TomlError{"not valid TOML"};
  TomlError error{errors.front().title()};
  // Of two places that contradict each other the later one is the error.
  for (const auto& [at, note] : errors.front().locations()) {
    if (line_of(at) < error.line) continue;
    error.line = line_of(at);
    error.column = column_of(at);
  }
  // The line could be a secret, or a part of one.
  const bool has_secrets = text.find("secret") != std::string_view::npos;
  if (error.line > 0 && !has_secrets) error.message += ", in: " + line_at(text, error.line);
  return error;
}

#else

std::size_t line_of(const toml::source_location& at) { return at.line(); }
std::size_t column_of(const toml::source_location& at) { return at.column(); }
const std::string& text_of(const toml::value& value) { return value.as_string().str; }

/// value.location() counts the lines in front of the value each time it is asked, which takes seconds for a
/// file with thousands of values. So the lines are counted once, and the value's offset is looked up.
class Places {
 public:
  explicit Places(std::string_view text) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1))
      lines_.push_back(end + 1);
  }
  [[nodiscard]] Place of(const toml::value& value) const {
    const auto* region = dynamic_cast<const toml::detail::region*>(toml::detail::get_region(value));
    if (region == nullptr) return {};
    const auto offset = static_cast<std::size_t>(region->first() - region->begin());
    const auto next = std::upper_bound(lines_.begin(), lines_.end(), offset);
    return {static_cast<std::size_t>(next - lines_.begin()), offset - *std::prev(next) + 1};
  }

 private:
  std::vector<std::size_t> lines_{0};  // where each begins
};

base::Result<toml::value, TomlError> parse(std::string_view text) {
  std::istringstream stream{std::string(text)};
  try {
    return toml::parse(stream, "config");
  } catch (const toml::exception& error) {
    return TomlError{error.what(), line_of(error.location()), column_of(error.location())};
  }
}

#endif

/// "[error] toml::parse_array: missing separator\n --> …" is for developers; what is left is for users.
std::string plain_message(std::string message) {
  message.erase(std::min(message.find('\n'), message.size()));
  if (message.starts_with("[error] ")) message.erase(0, 8);
  const std::size_t colon = message.find(": ");
  const bool names_a_function = message.starts_with("toml::") || message.starts_with("parse_");
  if (names_a_function && colon != std::string::npos) message.erase(0, colon + 2);
  return message;
}

bool is_nested_too_deep(std::string_view text) {
  std::size_t depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') {
      if (++depth > depth_max) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// The number of the first line that is not UTF-8.
std::optional<std::size_t> line_not_utf8(std::string_view text) {
  if (base::is_valid_utf8(text)) return std::nullopt;
  for (std::size_t line = 1;; ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!base::is_valid_utf8(text.substr(0, end))) return line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string kind_of(const toml::value& value) {
  if (value.is_table()) return "a table";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a text";
  if (value.is_integer() || value.is_floating()) return "a number";
  if (value.is_boolean()) return "true or false";
  return "a date or time";
}

Scalar texts_value(const toml::value& array) {
  std::vector<std::string> texts;
  for (const toml::value& item : array.as_array()) {
    if (!item.is_string()) return Unsuitable{"an array with " + kind_of(item) + " in it"};
    texts.push_back(text_of(item));
  }
  return texts;
}

Scalar scalar_value(const toml::value& value) {
  if (value.is_boolean()) return value.as_boolean();
  if (value.is_integer()) return static_cast<std::int64_t>(value.as_integer());
  if (value.is_floating()) return value.as_floating();
  if (value.is_string()) return text_of(value);
  if (value.is_array()) return texts_value(value);
  return Unsuitable{kind_of(value)};
}

Table table_value(const toml::value& value, const Places& places) {
  Table out;
  for (const auto& [key, item] : value.as_table())
    out.items.push_back({key, scalar_value(item), places.of(item)});
  std::sort(out.items.begin(), out.items.end(), [](const Table::Item& a, const Table::Item& b) {
    return std::tie(a.place.line, a.place.column, a.key) < std::tie(b.place.line, b.place.column, b.key);
  });
  out.place = places.of(value);
  return out;
}

Value array_value(const toml::value& value, const Places& places) {
  std::vector<std::string> texts;
  std::vector<Table> tables;
  for (const toml::value& item : value.as_array()) {
    if (item.is_string()) {
      texts.push_back(text_of(item));
    } else if (item.is_table()) {
      tables.push_back(table_value(item, places));
    } else {
      return Unsuitable{"an array with " + kind_of(item) + " in it"};
    }
  }
  if (tables.empty()) return texts;
  if (texts.empty()) return tables;
  return Unsuitable{"an array of texts and tables mixed"};
}

Value leaf_value(const toml::value& value, const Places& places) {
  return value.is_array() ? array_value(value, places) : to_value(scalar_value(value));
}

void flatten(const std::string& prefix, const toml::value& table, const Places& places,
             std::vector<TomlEntry>& out) {
  for (const auto& [key, value] : table.as_table()) {
    std::string name = prefix;
    if (!name.empty()) name += '.';
    name += key;
    if (value.is_table() && !value.as_table().empty()) {
      flatten(name, value, places, out);
    } else {
      const Place at = places.of(value);
      out.push_back({name, leaf_value(value, places), at.line, at.column});
    }
  }
}

}  // namespace

base::Result<std::vector<TomlEntry>, TomlError> read_toml(std::string_view text) {
  if (is_nested_too_deep(text)) {
    return TomlError{"brackets are nested more than " + std::to_string(depth_max) + " deep"};
  }
  // toml11 3 reads beyond the end of some texts that are not UTF-8.
  if (const auto line = line_not_utf8(text)) return TomlError{"the text is not UTF-8", *line, 1};
  try {
    auto parsed = parse(text);
    if (!parsed) {
      parsed.error().message = plain_message(std::move(parsed.error().message));
      return std::move(parsed.error());
    }
    std::vector<TomlEntry> entries;
    flatten("", *parsed, Places(text), entries);
    std::sort(entries.begin(), entries.end(), [](const TomlEntry& a, const TomlEntry& b) {
      return std::tie(a.line, a.column, a.key) < std::tie(b.line, b.column, b.key);
    });
    return entries;
  } catch (const std::exception& error) {
    return TomlError{"not readable as TOML: " + plain_message(error.what())};
  }
}

}  // namespace roomcast::config

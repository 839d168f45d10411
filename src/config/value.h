#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace roomcast::config {

/// Something a setting can't be, in words: "a table", "a date".
struct Unsuitable {
  std::string what;
};

/// Names and texts of one element of an array of tables.
using TextTable = std::vector<std::pair<std::string, std::string>>;

/// A value as it was given, before it is held against its setting.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>,
                           std::vector<TextTable>, Unsuitable>;

/// How an error message calls the value that was found: `"abc"`, `12`, `a table`. One line, cut if long.
[[nodiscard]] std::string describe(const Value& value);

}  // namespace roomcast::config

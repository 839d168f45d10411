#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace roomcast::config {

/// A value of a type that no setting has, in words: "a table", "a date".
struct Unsuitable {
  std::string what;
};

/// A place in a file, counted from 1; line 0: not in a file.
struct Place {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// What an element of an array of tables holds: no table, and of arrays only those of texts.
using Scalar = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, Unsuitable>;

/// One element of an array of tables.
struct Table {
  struct Item {
    std::string key;
    Scalar value;
    Place place{};
  };
  std::vector<Item> items;  ///< in the order of the file
  Place place{};
};

/// A value as it was given, before it is checked against its setting.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>,
                           std::vector<Table>, Unsuitable>;
[[nodiscard]] Value to_value(const Scalar& scalar);

/// Whether `text` can be written to a TOML file, a log and a system call and mean the same in all of them.
[[nodiscard]] bool is_clean(std::string_view text);

/// An error within a value, in one element of an array.
struct ElementError {
  std::string what;
  Place place;
};

/// What error messages call the value that was found: `"abc"`, `12`, `a table`. One line, cut if long.
[[nodiscard]] std::string describe(const Value& value);

}  // namespace roomcast::config

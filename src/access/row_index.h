#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/row.h"

namespace roomcast::access {

/// Finds the first of many rows that matches. Rows are grouped by the literal prefix of their pattern: of
/// `tenant-7/**` and the like only those of one tenant are looked at.
class RowIndex {
 public:
  RowIndex() = default;
  explicit RowIndex(const std::vector<CompiledRow>& rows);

  /// The first of `rows`, for which the index was made, that matches.
  [[nodiscard]] std::optional<std::size_t> first_match(const std::vector<CompiledRow>& rows,
                                                       const Identity& identity, std::string_view room) const;

 private:
  static constexpr std::size_t none = SIZE_MAX;

  struct Group {
    std::string prefix;
    std::vector<std::uint32_t> rows;  // ascending
    std::size_t parent = none;        // the group with the longest prefix of this prefix
  };
  std::vector<Group> groups_;  // by prefix
};

}  // namespace roomcast::access

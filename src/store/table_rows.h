#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "base/result.h"
#include "store/database.h"

namespace roomcast::store {

/// The first key after which rows can be read again, or the end is reached; nothing if that is not found.
/// `after`: the last key that could be read. For `rows` see read_table.
inline std::optional<std::int64_t> readable_again(Statement& rows, std::int64_t after) {
  const auto is_readable = [&rows](std::int64_t key) {
    rows.bind_number(1, key);
    const base::Result<bool, Fault> row = rows.step();
    rows.reset();
    return row.ok();
  };
  // Damage is of whole pages, and keys are dense: the steps get longer until they are behind it, then the
  // place is searched by halves.
  constexpr std::int64_t longest_step = std::int64_t{1} << 40U;
  std::int64_t unreadable = after;
  std::int64_t readable = after;
  for (std::int64_t step = 1; readable == after; step *= 2) {
    if (step > longest_step || after > std::numeric_limits<std::int64_t>::max() - step) return std::nullopt;
    if (is_readable(after + step)) {
      readable = after + step;
    } else {
      unreadable = after + step;
    }
  }
  while (readable - unreadable > 1) {
    const std::int64_t middle = unreadable + (readable - unreadable) / 2;
    (is_readable(middle) ? readable : unreadable) = middle;
  }
  return readable;
}

/// Reads a table to its end, and goes on behind rows that can't be read. `rows`: a statement whose parameter
/// 1 is the key after which it begins, and whose column 0 is the key, rising. `on_row()` is called for each
/// row, `on_unreadable(const Fault&)` for each stretch of them.
template <class OnRow, class OnUnreadable>
void read_table(Statement& rows, std::int64_t after, OnRow on_row, OnUnreadable on_unreadable) {
  while (true) {
    rows.bind_number(1, after);
    base::Result<bool, Fault> row = rows.step();
    for (; row && *row; row = rows.step()) {
      after = rows.number(0);
      on_row();
    }
    if (row) return;
    on_unreadable(row.error());
    const std::optional<std::int64_t> next = readable_again(rows, after);
    if (!next) return;
    after = *next;
  }
}

}  // namespace roomcast::store

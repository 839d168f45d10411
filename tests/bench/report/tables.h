#pragma once

#include <string>
#include <vector>

#include "report/matrix.h"

namespace roomcast::bench {

/// The lines of one row, as they stand in its table.
[[nodiscard]] std::string lines_of(const RowResult& result);

/// The two tables of the matrix in Markdown, which people can read as it is: costs as multiples of the floor,
/// then what has no floor. Below them the machine, the versions, and what went wrong.
[[nodiscard]] std::string tables_as_markdown(const std::vector<RowResult>& results, std::size_t rounds);

/// The same for machines, with the figures of every round.
[[nodiscard]] std::string tables_as_json(const std::vector<RowResult>& results, std::size_t rounds);

/// Puts `text` between the lines `<!-- bench:begin -->` and `<!-- bench:end -->` of a file, or those that
/// have another `mark` than bench. Throws std::runtime_error when the file cannot be read or written, or has
/// no such lines.
void put_into_file(const std::string& path, const std::string& text, const std::string& mark = "bench");

}  // namespace roomcast::bench

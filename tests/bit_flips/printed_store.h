#pragma once

#include <cstdint>
#include <string>

namespace roomcast::flips {

/// Makes a store of each state in `directory`, `closed` and `killed`, whose messages are of the last hour,
/// and writes to standard output, a JSON object a line, what a program needs that reads them in another way:
///
///     {"state","room","epoch","offset","data","is_last"}  a message; data is null if it has been removed,
///     and
///                                                         is_last says that the last commit has brought it
///     {"state","file","bit"}                              a bit to be flipped: so many in each file
///
/// False if a store cannot be made.
[[nodiscard]] bool print_stores(const std::string& directory, std::uint64_t seed, int flips);

}  // namespace roomcast::flips

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "store/store_scan.h"

namespace roomcast::store {

/// What a look at all of a store has found.
struct CheckReport {
  std::uint64_t rooms = 0;
  std::uint64_t messages = 0;  ///< removed ones included
  std::uint64_t holes = 0;     ///< places where messages are missing, known ones included
  std::uint64_t batches = 0;   ///< in the journal, not folded yet
  bool is_in_use = false;      ///< then the ends of the write-ahead logs have not been looked at
  ProblemList problems{};
};

/// Checks the structure of both databases, the ends of their write-ahead logs, the checksum of every record,
/// and that no message is missing in any room but where the room knows of it. Changes nothing; a server may
/// be using the store. An error says why it could not be checked at all.
[[nodiscard]] base::Result<CheckReport> check_store(const std::string& directory);

}  // namespace roomcast::store

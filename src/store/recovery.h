#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "store/options.h"
#include "store/store_scan.h"

namespace roomcast::store {

/// What was saved of a store.
struct RecoveryReport {
  std::uint64_t rooms = 0;
  std::uint64_t messages = 0;  ///< removed ones included
  std::uint64_t holes = 0;     ///< places where messages are missing, those that were missing before included
  ProblemList problems{};      ///< what is damaged, and what is lost by it
};

/// Saves what is whole in a store, which no server may be using, into a new one in `options.path`, a new or
/// empty directory. The damaged store is left as it is. Rooms keep their epochs and their messages the
/// offsets; what is lost becomes a hole, of which a room has 16 at most (older messages go with the rest),
/// and whoever was there is told of a gap.
[[nodiscard]] base::Result<RecoveryReport> recover_store(const std::string& from, const StoreOptions& options,
                                                         base::Log& log);

}  // namespace roomcast::store

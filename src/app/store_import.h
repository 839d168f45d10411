#pragma once

#include <cstdint>
#include <cstdio>

#include "base/log.h"
#include "base/result.h"
#include "store/options.h"

namespace roomcast::app {

struct ImportReport {
  std::uint64_t rooms = 0;
  std::uint64_t messages = 0;  ///< that have been added
  std::uint64_t known = 0;     ///< that the store had already
};

/// Adds what export_store has written to a store that no server uses; makes the store if there is none.
/// Rooms get the same epochs, and messages the same offsets and times; what a room has already is passed
/// over. The error names the line; what was before it has been added.
[[nodiscard]] base::Result<ImportReport> import_store(const store::StoreOptions& options, std::FILE* input,
                                                      base::Log& log);

}  // namespace roomcast::app

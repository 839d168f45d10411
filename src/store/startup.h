#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "store/archive.h"
#include "store/archive_reader.h"
#include "store/directory.h"
#include "store/journal.h"
#include "store/options.h"
#include "store/retention.h"
#include "store/tail.h"

namespace roomcast::store {

/// The opened files of a store, with everything that is needed to open them again after a fault.
struct StoreFiles {
  Directory directory;
  DiskShares shares;
  Journal::Options journal_options;
  Archive::Options archive_options;
  Journal journal;
  Archive archive;
  std::unique_ptr<Tail> tail;          ///< at a fixed address: threads share it
  std::unique_ptr<RoomsInUse> in_use;  ///< likewise
  ArchiveReader reader;
  RoomId next_room = 1;
  std::uint64_t last_seq = 0;  ///< of the last batch
  std::vector<Archive::Value> values;
  bool has_reserve = true;
  /// After an unclean stop: a connection to the history that looks it through.
  std::optional<Database> to_check{};
};

/// Opens the store in StoreOptions::path, or makes a new one there; blocks for as long as that takes. What
/// serves from it comes after everything that was committed, and after what says that the store is in use. An
/// error is for the operator: it names the file, and the command that helps.
[[nodiscard]] base::Result<StoreFiles> open_files(const StoreOptions& options, std::int64_t wall_ms,
                                                  base::Log& log);

}  // namespace roomcast::store

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace roomcast::store {

/// Copies a store to `to`, a new or empty directory, whether a server is using it or not: as it was at one
/// moment, with everything that had been answered before the call. The copy is a store; it is on the disk
/// when this returns, and after an error nothing is left of it. The value: its bytes.
///
/// A server that is started on it tells no cursor wrong: rooms go on behind offsets that may have been given
/// out since (skipped_offsets), and rooms that had never been written have other epochs.
[[nodiscard]] base::Result<std::uint64_t> back_up_store(const std::string& from, const std::string& to);

/// What compacting has made of the bytes on the disk.
struct CompactReport {
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

/// Gives the space in the files of a store that nothing is in back to the disk. No server may be using it.
/// Meanwhile it needs as much space again as is used.
[[nodiscard]] base::Result<CompactReport> compact_store(const std::string& directory);

}  // namespace roomcast::store

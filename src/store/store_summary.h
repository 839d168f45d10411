#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace roomcast::store {

/// What a store has, as far as can be told without reading messages.
struct StoreSummary {
  struct Room {
    std::string name{};
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;  ///< of their records
  };
  static constexpr std::size_t largest_max = 10;

  std::uint64_t rooms = 0;
  std::uint64_t messages = 0;  ///< past the limits of their rooms included, as long as they are on the disk
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;  ///< that are committed and not sorted by room yet
  std::uint64_t batch_bytes = 0;
  std::uint64_t quarantined = 0;    ///< damaged chunks
  std::uint64_t journal_bytes = 0;  ///< of the files
  std::uint64_t history_bytes = 0;
  std::string used_by{};        ///< such as "process 17"; empty: nobody
  bool is_clean = false;        ///< the last server has stopped well
  std::vector<Room> largest{};  ///< by bytes
};

/// A server may be using the store. Where something is damaged the error says so.
[[nodiscard]] base::Result<StoreSummary> summarize_store(const std::string& directory);

}  // namespace roomcast::store

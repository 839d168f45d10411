#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"

namespace roomcast::store {

/// A chunk is a row of history.db: records of type `message` of one room, in the order of their offsets, with
/// the amendments that were known when it was written. At most chunk_bytes, or a single message.
inline constexpr std::size_t chunk_bytes = std::size_t{32} << 10U;

/// What the index says of a chunk.
struct ChunkExtent {
  std::int64_t id = 0;
  std::uint64_t first = 0;     ///< offset
  std::uint64_t last = 0;      ///< offset
  std::int64_t newest_ms = 0;  ///< the time of the last message
  std::uint64_t count = 0;     ///< of messages, removed ones included
  std::uint64_t bytes = 0;     ///< of their records
};

struct Chunk {
  ChunkExtent extent{};  ///< its id is not known yet
  std::string records{};
};

/// A chunk that could not be read in whole, or whose content is not what its row says.
struct Damage {
  RoomId room = 0;
  std::int64_t chunk = 0;
  std::uint64_t first = 0;  ///< offsets of the chunk
  std::uint64_t last = 0;
};

/// What has been removed from a room's messages or put in their place: the last word for each offset. The
/// bytes of the records must outlive it.
class Amendments {
 public:
  /// A record of type removed or replaced.
  void add(const Record& record) { by_offset_.insert_or_assign(record.offset, record); }
  [[nodiscard]] bool empty() const { return by_offset_.empty(); }
  /// Null if the message at `offset` is as it was.
  [[nodiscard]] const Record* find(std::uint64_t offset) const;
  /// Whether there is one for an offset from `first` to `last`.
  [[nodiscard]] bool concerns(std::uint64_t first, std::uint64_t last) const;

 private:
  std::map<std::uint64_t, Record> by_offset_;
};

/// Appends the record of a message as the amendments leave it, sealed. It keeps its time and its idempotency
/// key, also where it is removed.
void append_amended(std::string& out, const Record& message, const Amendments& amendments);

/// Packs messages into chunks.
class ChunkPacker {
 public:
  /// `message`: whole and sealed, of type message, with a higher offset than the one before.
  void add(const Record& message) { add_amended(message, {}); }
  /// Likewise, as the amendments leave it.
  void add_amended(const Record& message, const Amendments& amendments);
  [[nodiscard]] std::vector<Chunk> take();

 private:
  std::vector<Chunk> chunks_;
};

/// What can be read of a chunk.
struct ChunkContent {
  std::vector<Record> messages{};  ///< in the bytes that were read
  bool is_damaged = false;         ///< some are missing
};
[[nodiscard]] ChunkContent read_chunk(const ChunkExtent& extent, RoomId room, std::string_view records);

}  // namespace roomcast::store

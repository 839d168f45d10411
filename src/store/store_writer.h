#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "hub/engine.h"
#include "hub/message.h"
#include "hub/room_settings.h"
#include "store/options.h"
#include "store/record.h"
#include "store/startup.h"

namespace roomcast::store {

/// Offsets that are left out where a store begins that is not the newest: a backup, an import, what was
/// saved. Messages that it does not have may have been published since, and clients have seen their cursors;
/// so rooms go on behind this many more, and whoever was there is told of a gap.
inline constexpr std::uint64_t skipped_offsets = std::uint64_t{1} << 32U;

/// Puts rooms and messages into a store that no server uses, or into a new one. Nothing is left out because
/// of the limits of history: those count when a server serves from it. Calls block.
class StoreWriter {
 public:
  /// A room, and where it stands with what was written.
  struct Room {
    RoomId id = 0;
    std::uint64_t epoch = 0;
    std::uint64_t top = 0;
  };

  /// Of `options` only path, disk_bytes and secure_delete count. `log` outlives the writer.
  [[nodiscard]] static base::Result<std::unique_ptr<StoreWriter>> open(const StoreOptions& options,
                                                                       base::Log& log);

  /// The room of that name; null if the store does not have it. Valid as long as the writer.
  [[nodiscard]] base::Result<Room*> find(std::string_view name);
  /// Begins a room that the store does not have, after the offset `floor`. `epoch`: not 0.
  [[nodiscard]] base::Result<Room*> create(std::string_view name, std::uint64_t epoch, std::uint64_t floor);

  // Each takes what comes after Room::top. What is between is missing: a hole.

  [[nodiscard]] std::optional<base::Error> add(Room& room, const hub::Message& message);
  /// A message as another store has it, with its idempotency key; or the place of one that was removed.
  [[nodiscard]] std::optional<base::Error> add(Room& room, const Record& message);
  [[nodiscard]] std::optional<base::Error> add_removed(Room& room, std::uint64_t offset, std::int64_t time_ms,
                                                       const PublishKey& key = {});
  /// Nothing up to `last`.
  [[nodiscard]] std::optional<base::Error> add_hole(Room& room, std::uint64_t last);
  [[nodiscard]] std::optional<base::Error> put_value(std::string_view name, std::string_view value);

  /// Writes the rest. The error says so as well if messages had to be left out because of disk_bytes.
  [[nodiscard]] std::optional<base::Error> finish();

 private:
  StoreWriter(StoreFiles files, const StoreOptions& options);
  void fill_gap(Room& room, std::uint64_t offset);
  [[nodiscard]] std::optional<base::Error> written(std::size_t bytes_max);

  StoreFiles files_;
  std::uint64_t disk_bytes_;
  hub::RoomRules keeping_;
  std::map<std::string, Room, std::less<>> rooms_;
  std::string batch_;
};

}  // namespace roomcast::store

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "hub/room_settings.h"
#include "store/options.h"

namespace roomcast::flips {

/// A message as it must come back, if it comes back.
struct Expected {
  std::string body;  ///< of its record, as store::Record::body
  std::int64_t time_ms = 0;
  std::uint64_t batch = 0;  ///< the number of the commit that has written what it is now
};

struct ExpectedRoom {
  std::uint64_t epoch = 0;
  std::map<std::uint64_t, Expected> messages{};  ///< by offset, from 1 on without a hole
};

/// What a store holds.
struct Content {
  std::map<std::string, ExpectedRoom> rooms{};
  std::uint64_t last_batch = 0;
  std::uint64_t batches_in_log = 0;  ///< commits in the journal's WAL, the last one included
  std::int64_t time_ms = 0;          ///< of the last message
};

inline constexpr std::array<const char*, 4> files{"journal.db", "journal.db-wal", "history.db",
                                                  "history.db-wal"};

/// Whether the files are those of a store that was closed, or of one whose process was killed.
enum class End { closed, killed };

[[nodiscard]] store::StoreOptions options_of(const std::string& directory);
/// Nothing is dropped by them.
[[nodiscard]] hub::RoomRules generous_rules();

/// Makes a store in `directory`, with something in each of its files: chunks of several rooms, removed and
/// replaced messages, batches that are not folded, half of them in the WAL. Nothing with a message on
/// standard error if the store fails. `begin_ms`: the time of the first message.
[[nodiscard]] std::optional<Content> make_store(const std::string& directory, End end, std::uint64_t seed,
                                                std::int64_t begin_ms);

}  // namespace roomcast::flips

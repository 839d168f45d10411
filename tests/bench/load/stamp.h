#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace roomcast::bench {

/// What each message of the load carries, by which a receiver knows its order and its age.
struct Stamp {
  std::uint16_t publisher = 0;
  std::uint32_t number = 0;  ///< counted by its publisher, from 0
  std::int64_t sent_ns = 0;  ///< CLOCK_MONOTONIC
};

/// The shortest message that has room for a stamp.
constexpr std::size_t min_message_bytes = 60;

/// A JSON object of exactly `bytes` (at least `min_message_bytes`): the stamp at a fixed place, then filling
/// that compresses about as well as ordinary JSON text does.
[[nodiscard]] std::string make_message(std::size_t bytes);

/// Overwrites the stamp of a message that `make_message` made.
void write_stamp(std::string& message, const Stamp& stamp);

/// The stamp of a message, or of an envelope that has one inside; nothing when there is none.
[[nodiscard]] std::optional<Stamp> read_stamp(std::string_view text);

/// The same for many texts of one kind: `place` is where the last one's stamp stood (0 at first), which is
/// tried before the text is searched.
[[nodiscard]] std::optional<Stamp> read_stamp(std::string_view text, std::size_t& place);

}  // namespace roomcast::bench

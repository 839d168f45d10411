#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/frame.h"

namespace roomcast::hub {

/// What a payload is. `json` has been checked to be one JSON value.
enum class Kind : std::uint8_t { text, json, binary };

/// Names one subscriber for as long as it lives, for leaving out a sender's own messages; 0: nobody.
using SubscriberId = std::uint64_t;

/// A place in a room's order: the log's identity and the message's number in it.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;  ///< 1, 2, 3 …; 0: before the first message
  friend bool operator==(const Position&, const Position&) = default;
};

/// A message on its way in, before it has a place.
struct Draft {
  Kind kind = Kind::text;
  base::FrameRef payload;   ///< a block of its own, not part of a larger one: histories keep it
  base::FrameRef from;      ///< how the sender is called; may be empty
  SubscriberId sender = 0;  ///< the local subscriber it came from, or 0
};

/// A message that has its place. Immutable; copies share the payload.
struct Message {
  Kind kind = Kind::text;
  base::FrameRef payload;
  base::FrameRef from;
  SubscriberId sender = 0;  ///< 0 if it came from elsewhere
  Position position;
  std::int64_t time_ms = 0;  ///< wall clock, milliseconds since the epoch
};

}  // namespace roomcast::hub

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/refusal.h"
#include "base/result.h"
#include "config/config.h"
#include "service/checks.h"

namespace roomcast::api {

/// One message for one room, as a request contains it. Copies share the payload.
struct PublishItem {
  std::string room;
  base::Bytes from;                                       ///< how the sender is called; may be empty
  std::string key;                                        ///< idempotency key; may be empty
  base::Result<service::Payload, base::Refusal> payload;  ///< or why the message can't be published
};

struct BatchLimits {
  std::uint64_t messages;  ///< limits.batch_messages: items
  std::uint64_t bytes;     ///< limits.batch_bytes: payloads, each counted for each of its rooms
};

[[nodiscard]] BatchLimits batch_limits(const config::Config& config);

/// Members that the body may have, and each message of it: several times as many as there are names.
inline constexpr std::size_t batch_members_max = 32;

/// Reads `{"messages":[{"room" or "rooms", "data" or "data_base64", "from"?, "key"?, "event"?, "tags"?},…]}`:
/// an item for each message and room, in that order. `data` that is a JSON string is a text message, any
/// other value a json one. Unknown members are ignored, and so is one that is null (but `data`); of several
/// with one name the last counts. An error is the response to all of it: it is not JSON, not of that shape
/// (one message must not name a room twice, and at least one), or has more items, bytes or members than the
/// limits; what follows has not been read then. What is wrong with one message alone (size, depth, base64,
/// name, key, event, tags) is that item's refusal; names of rooms are not checked.
[[nodiscard]] base::Result<std::vector<PublishItem>, base::Refusal> read_batch(
    std::string_view body, const BatchLimits& limits, const service::Limits& message_limits);

}  // namespace roomcast::api

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/refusal.h"
#include "base/result.h"
#include "hub/message.h"

namespace roomcast::api {

/// One message for one room, as a batch asks for it.
struct BatchItem {
  std::string room;
  hub::Draft draft;
  std::string key;                       ///< for hub::IdempotentPublisher; may be empty
  std::optional<base::Refusal> problem;  ///< it can't be published, and the rest is only what it said
};

struct BatchLimits {
  std::uint64_t message_bytes = 65'536;  ///< limits.message_bytes
  std::uint64_t messages = 1'000;        ///< limits.batch_messages: items
  std::uint64_t bytes = 16'777'216;      ///< limits.batch_bytes: payloads, each counted for each of its rooms
  std::uint64_t json_depth = 63;         ///< limits.json_depth
};

/// Members that the body may have, and each message of it: several times as many as there are names.
inline constexpr std::size_t batch_members_max = 32;

/// Reads `{"messages":[{"room" or "rooms", "data" or "data_base64", "from"?, "key"?},…]}`: an item for each
/// message and room, in that order. `data` that is a JSON string is a text message, any other value a json
/// one. Unknown members are ignored, and so is one that is null (but `data`); of several with one name the
/// last counts. An error is the answer to all of it: it is not JSON, not of that shape (one message must not
/// name a room twice, and at least one), or has more items, bytes or members than the limits; what comes
/// behind that has not been looked at. What is wrong with one message alone (its
/// room's name, size, depth, base64, key) is that item's problem.
[[nodiscard]] base::Result<std::vector<BatchItem>, base::Refusal> read_batch(std::string_view body,
                                                                             const BatchLimits& limits);

}  // namespace roomcast::api

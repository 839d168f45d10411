#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "dialect/event.h"
#include "hub/membership.h"
#include "hub/message.h"

namespace roomcast::dialect {

// The requests of dialects that have some. Without `room` a request is for the room that the connection was
// opened for. Room names have not been checked. Views live for the call.

struct Subscribe {
  RequestId id;
  std::optional<std::string_view> room;
  hub::Interest interest;
  bool presence = false;  ///< send presence events as well
};

struct Unsubscribe {
  RequestId id;
  std::optional<std::string_view> room;
};

struct Publish {
  RequestId id;
  std::optional<std::string_view> room;
  hub::Kind kind = hub::Kind::text;
  std::string_view payload;             ///< by `kind`: valid UTF-8, one JSON value, or any bytes
  std::optional<std::string_view> key;  ///< makes a retry safe: published once for each room and key
  hub::Labels labels;
};

struct AskPresence {
  RequestId id;
  std::optional<std::string_view> room;
};

struct AskHistory {
  RequestId id;
  std::optional<std::string_view> room;
  std::optional<hub::Position> since;  ///< absent: the last `limit`
  std::optional<std::size_t> limit;    ///< absent: as many as one reply holds
};

struct Ping {
  RequestId id;
};

/// Shows who the client is.
struct Authenticate {
  RequestId id;
  std::string_view token;  ///< not empty; as secret as a password
};

using Command = std::variant<Subscribe, Unsubscribe, Publish, AskPresence, AskHistory, Ping, Authenticate>;

}  // namespace roomcast::dialect

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "hub/message.h"
#include "hub/subscriber.h"

namespace roomcast::dialect {

/// A client's own name for a request, as it wrote it (the JSON text of a number or string); empty: it wants
/// no reply.
using RequestId = std::string_view;

/// The first thing a client hears.
struct Welcome {
  std::string_view client;  ///< names this connection
  std::int64_t ping_ms = 0;
  std::uint64_t message_bytes = 0;
};

/// The client is in the room.
struct Subscribed {
  RequestId id;
  std::string_view room;
  hub::Position cursor;  ///< everything after this place follows
};

/// Messages of the room may be missing here.
struct GapFound {
  std::string_view room;
  hub::Gap gap;
};

/// A request failed, or what the client sent was none.
struct Refused {
  RequestId id;
  std::string_view code;     ///< stable, snake_case
  std::string_view message;  ///< for people; names the limit or key
};

/// The server is about to close.
struct Goodbye {
  std::uint16_t code = 0;                ///< RFC 6455 section 7.4
  std::string_view reason;               ///< base::CloseReasonInfo::name
  std::optional<std::int64_t> retry_ms;  ///< when to come back; nothing: don't
};

/// What one client is told besides messages. Views live for the call.
using Event = std::variant<Welcome, Subscribed, GapFound, Refused, Goodbye>;

/// The event's stable name: "welcome", "ok", "gap", "error", "bye".
[[nodiscard]] std::string_view name_of(const Event& event);

}  // namespace roomcast::dialect

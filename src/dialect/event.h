#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "hub/message.h"
#include "hub/presence_update.h"
#include "hub/subscriber.h"

namespace roomcast::dialect {

/// A client's own name for a request, as it wrote it (the JSON text of a number or string); empty: it wants
/// no reply.
using RequestId = std::string_view;

/// The first thing a client hears.
struct Welcome {
  std::string_view client;  ///< names this connection
  std::int64_t ping_ms = 0;
  std::uint64_t message_bytes = 0;  ///< the largest payload it may publish
  std::uint64_t rooms = 0;          ///< how many it may be in at a time
};

/// The client is in the room.
struct Subscribed {
  RequestId id;
  std::string_view room;
  hub::Position cursor;                           ///< everything after this place follows
  std::optional<hub::PresenceSnapshot> presence;  ///< if it asked for that
};

/// What was asked for has been done.
struct Ok {
  RequestId id;
  std::string_view room;  ///< empty if it has to do with none
};

/// The client's message has its place.
struct Published {
  RequestId id;
  std::string_view room;
  hub::Position cursor;
  std::uint64_t subscribers = 0;
  bool is_duplicate = false;  ///< it had it already: its key has been seen
};

/// The answer to who is in a room.
struct PresenceList {
  RequestId id;
  std::string_view room;
  hub::PresenceSnapshot presence;
};

/// Part of a room's past.
struct HistoryPage {
  RequestId id;
  std::string_view room;
  hub::Position cursor;  ///< where to go on: of the last message here, or where the page would begin
  std::optional<hub::Gap> gap;
  std::span<const hub::Message> messages;
  bool more = false;  ///< there are messages after `cursor`
};

struct MemberJoined {
  std::string_view room;
  std::string_view name;
};

struct MemberLeft {
  std::string_view room;
  std::string_view name;
};

/// How many are in a room, while it is a crowd; with its members once it is none any more, and to begin with
/// where no ok says it.
struct PresenceCount {
  std::string_view room;
  hub::PresenceSnapshot presence;
};

/// The answer to a ping without id.
struct Pong {};

/// Messages of the room may be missing here.
struct GapFound {
  std::string_view room;
  hub::Gap gap;
};

/// A request failed, or what the client sent was none.
struct Error {
  RequestId id;
  std::string_view code;     ///< stable, snake_case
  std::string_view message;  ///< for people; names the limit or key
};

/// The server is about to close.
struct Bye {
  std::uint16_t code = 0;                ///< RFC 6455 section 7.4
  std::string_view reason;               ///< base::CloseReasonInfo::name
  std::optional<std::int64_t> retry_ms;  ///< when to come back; nothing: don't
};

/// What one client is told besides messages. Views live for the call.
using Event = std::variant<Welcome, Subscribed, Ok, Published, PresenceList, HistoryPage, GapFound,
                           MemberJoined, MemberLeft, PresenceCount, Pong, Error, Bye>;

/// The event's stable name: "welcome", "ok" (of all that says that a request succeeded), "gap", "join",
/// "leave", "presence", "pong", "error", "bye".
[[nodiscard]] std::string_view name_of(const Event& event);

}  // namespace roomcast::dialect

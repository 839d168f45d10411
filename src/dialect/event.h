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

/// The id that a client gave a request, as it wrote it (the JSON text of a number or string); empty: no reply
/// is expected.
using RequestId = std::string_view;

/// The first event of a session.
struct Welcome {
  std::string_view client;  ///< identifies this connection
  std::int64_t ping_ms = 0;
  std::uint64_t message_bytes = 0;  ///< the largest payload it may publish
  std::uint64_t rooms = 0;          ///< how many it may be in at a time
  /// It joins the room of the connection once it has authenticated, within this time; absent: no need to.
  std::optional<std::int64_t> authenticate_ms{};
};

/// The client has shown who it is.
struct Authenticated {
  RequestId id;
  std::string_view user;                      ///< its id, if it is a user
  std::string_view key;                       ///< the name of the API key otherwise
  std::string_view name;                      ///< what others see
  std::optional<std::int64_t> expires_in_ms;  ///< absent: never
};

/// The connection is closed after this time unless the client authenticates again.
struct Expires {
  std::int64_t in_ms = 0;
};

/// The server has put the client into a room that it did not ask for.
struct JoinedByServer {
  std::string_view room;
  hub::Position cursor;  ///< everything after this position follows
  std::optional<hub::PresenceSnapshot> presence;
};

/// The server has taken the client out of a room.
struct LeftByServer {
  std::string_view room;
  std::string_view code;     ///< base::RefusalInfo::name
  std::string_view message;  ///< for people
};

/// A message to the client itself, in no room and without a cursor.
struct Direct {
  hub::Author from;  ///< may be empty
  hub::Kind kind = hub::Kind::text;
  std::string_view payload;
};

/// The client is in the room.
struct Subscribed {
  RequestId id;
  std::string_view room;
  hub::Position cursor;                           ///< everything after this position follows
  std::optional<hub::PresenceSnapshot> presence;  ///< if it was asked for
};

/// A request has succeeded.
struct Ok {
  RequestId id;
  std::string_view room;  ///< empty if the request concerns none
};

/// The client's message has a position.
struct Published {
  RequestId id;
  std::string_view room;
  hub::Position cursor;
  std::uint64_t subscribers = 0;
  bool is_duplicate = false;  ///< it had been published before, under the same key
  bool is_durable = false;    ///< it is on the disk: hub::Published::is_durable
};

/// The members of a room, in reply to a request.
struct PresenceList {
  RequestId id;
  std::string_view room;
  hub::PresenceSnapshot presence;
};

/// A page of a room's history, in reply to a request.
struct HistoryReply {
  RequestId id;
  std::string_view room;
  hub::Position
      cursor;  ///< of the last message here, or where the page would begin: the position to continue from
  std::optional<hub::Gap> gap;
  std::span<const hub::Message> messages;
  bool more = false;  ///< there are messages after `cursor`
};

struct MemberJoined {
  std::string_view room;
  std::string_view name;
  std::string_view principal{};  ///< hub::Author::principal
};

struct MemberLeft {
  std::string_view room;
  std::string_view name;
  std::string_view principal{};
};

/// The number of members of a crowded room; with their names once it is no crowd any more, and as the first
/// event of a subscription that has no `ok` to carry them.
struct PresenceCount {
  std::string_view room;
  hub::PresenceSnapshot presence;
};

/// A message that the client may have is no more.
struct MessageDeleted {
  std::string_view room;
  hub::Position cursor;  ///< of the message
};

/// A message that the client may have is to be shown as this one, which has its cursor.
struct MessageReplaced {
  std::string_view room;
  const hub::Message* message = nullptr;
};

/// All messages of the room are no more.
struct RoomCleared {
  std::string_view room;
  hub::Position cursor;  ///< of the last of them
};

/// The reply to a ping without id.
struct Pong {};

/// Messages of the room may be missing here.
struct GapFound {
  std::string_view room;
  hub::Gap gap;
};

/// A request failed, or what the client sent was not a request.
struct Error {
  RequestId id;
  std::string_view code;       ///< stable, snake_case
  std::string_view message;    ///< for people; names the limit or key
  std::uint32_t retry_ms = 0;  ///< when the same request may succeed; 0: not said
};

/// The server is about to close.
struct Bye {
  std::uint16_t code = 0;                ///< RFC 6455 section 7.4
  std::string_view reason;               ///< base::CloseReasonInfo::name
  std::optional<std::int64_t> retry_ms;  ///< when to reconnect; absent: not at all
  std::string_view message{};            ///< for people; may be empty
};

/// What a client is sent besides messages. Views live for the call.
using Event =
    std::variant<Welcome, Subscribed, Ok, Published, PresenceList, HistoryReply, GapFound, MemberJoined,
                 MemberLeft, PresenceCount, MessageDeleted, MessageReplaced, RoomCleared, Pong, Error, Bye,
                 Authenticated, Expires, JoinedByServer, LeftByServer, Direct>;

/// The event's stable name: "welcome", "ok" (of each event that reports success), "gap", "join",
/// "leave", "presence", "deleted", "replaced", "cleared", "pong", "error", "bye", "authenticated", "expires",
/// "subscribed", "unsubscribed", "direct".
[[nodiscard]] std::string_view name_of(const Event& event);

}  // namespace roomcast::dialect

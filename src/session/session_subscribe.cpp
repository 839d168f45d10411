// Which rooms a client is in.
#include <string>
#include <utility>

#include "session/room_set.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

std::optional<std::string_view> Session::room_for(dialect::RequestId id,
                                                  const std::optional<std::string_view>& room) {
  if (!room) {
    const std::string& home = rooms()->home();
    if (!home.empty()) return home;
    refuse(id, {base::Refusal::Code::bad_request, "room is missing, and this connection is not for one"});
    return std::nullopt;
  }
  return room;
}

RoomSet& Session::need_rooms() {
  if (rooms() == nullptr) {
    hub::Membership* const home = my_place();
    extras().rooms =
        std::make_unique<RoomSet>(home != nullptr ? home->room_name() : std::string_view{}, home);
  }
  return *rooms();
}

std::optional<base::Refusal> Session::check_subscribe(std::string_view room) {
  const std::size_t count_max = table_.settings().rooms_per_connection;
  if (is_in(room)) {
    return base::Refusal{base::Refusal::Code::already_subscribed, "this connection is in the room already"};
  }
  if (rooms()->size() + (my_place() != nullptr ? 1 : 0) < count_max) return std::nullopt;
  return base::Refusal{
      base::Refusal::Code::too_many_rooms,
      "limits.rooms_per_connection allows " + std::to_string(count_max) + " rooms at a time"};
}

void Session::run(const dialect::Subscribe& request) {
  const auto room = room_for(request.id, request.room);
  if (!room) return;
  if (const auto refusal = check_subscribe(*room)) return refuse(request.id, *refusal);
  hub::Interest interest = request.interest;
  interest.watch_presence = request.presence;
  RoomSet::Subscription made{{}, base::Bytes::copy_of(request.id)};
  const auto refusal = table_.service().join(caller(), *room, *this, std::move(interest), made.membership);
  if (refusal) return refuse(request.id, *refusal);
  apply_echo(*room);
  rooms()->add(std::move(made));
}

void Session::run(const dialect::Unsubscribe& request) {
  const auto room = room_for(request.id, request.room);
  if (!room) return;
  if (const hub::Membership* const home = my_place(); home != nullptr && home->room_name() == *room) {
    leave_home();
  } else {
    const RoomSet::Subscription left = rooms()->take(*room);
    if (!left.membership) {
      const base::Refusal not_there{base::Refusal::Code::not_subscribed,
                                    "this connection is not in the room"};
      return refuse(request.id, service::check_room_name(*room).value_or(not_there));
    }
    // Every id is answered.
    if (!left.reply_to.empty()) {
      refuse(left.reply_to.view(),
             {base::Refusal::Code::not_subscribed, "the room was left before it could be joined"});
    }
  }
  if (!request.id.empty()) send_event(dialect::Ok{request.id, *room});
}

bool Session::confirm(hub::Membership& membership, const hub::Joined& joined) {
  const std::string_view room = membership.room_name();
  base::Bytes id;
  if (&membership != my_place()) {
    RoomSet::Subscription& asked = *rooms()->find(room);
    asked.is_confirmed = true;
    if (asked.is_by_server) {
      dialect::JoinedByServer joined_by_server{room, joined.cursor, {}};
      if (membership.watches_presence()) joined_by_server.presence = table_.service().presence(membership);
      return send_event(joined_by_server, joined.cursor);
    }
    id = std::exchange(asked.reply_to, {});
    if (id.empty()) return false;
  } else if (joined.gap && !two_way_) {
    // Where nothing can be asked for the gap says all of it.
    return false;
  }
  dialect::Subscribed subscribed{id.view(), room, joined.cursor, {}};
  if (membership.watches_presence()) subscribed.presence = table_.service().presence(membership);
  return send_event(subscribed, joined.cursor);
}

}  // namespace roomcast::session

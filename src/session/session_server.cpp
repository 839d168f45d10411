// What the server asks a session, and does with it without having been asked by the client.
#include <algorithm>
#include <string>
#include <utility>

#include "session/direct_message.h"
#include "session/room_set.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

std::vector<std::string_view> Session::room_names() const {
  std::vector<std::string_view> names;
  if (const auto* const home = std::get_if<hub::Membership>(&home_)) names.push_back(home->room_name());
  if (rooms() != nullptr) rooms()->for_each_name([&](std::string_view room) { names.push_back(room); });
  return names;
}

bool Session::is_in(std::string_view room) const {
  const auto* const home = std::get_if<hub::Membership>(&home_);
  return (home != nullptr && home->room_name() == room) || (rooms() != nullptr && rooms()->contains(room));
}

bool Session::is_in_rooms() const {
  return std::holds_alternative<hub::Membership>(home_) || (rooms() != nullptr && rooms()->size() > 0);
}

std::optional<base::Refusal> Session::subscribe_from_server(std::string_view room) {
  if (!is_open() || !takes_requests()) {
    return base::bad_request("only an open connection that takes requests can be in further rooms");
  }
  need_rooms();
  if (auto refusal = check_subscribe(room)) return refusal;
  RoomSet::Subscription made{{}, {}, false, true};
  if (auto refusal = table_.service().join(caller(), room, *this, {}, made.membership)) return refusal;
  rooms()->add(std::move(made));
  return std::nullopt;
}

bool Session::unsubscribe_from_server(std::string_view room, const base::Refusal& why) {
  if (has_begun_to_close() || !is_in(room)) return false;
  leave_room(std::string(room), why);
  return true;
}

void Session::forget(const hub::Membership& membership) {
  if (rooms() != nullptr) rooms()->forget_replay(membership);
  if (!extras_ || !extras_->awaited) return;
  Awaited& awaited = *extras_->awaited;
  awaited.erase(std::remove_if(awaited.begin(), awaited.end(),
                               [&](const auto& waits) { return waits.first == &membership; }),
                awaited.end());
}

void Session::leave_home() {
  // It remains the room that requests without one are for.
  if (takes_requests()) need_rooms();
  forget(*my_place());
  home_ = std::monostate{};
}

void Session::leave_room(std::string_view room, const base::Refusal& why) {
  if (!takes_requests()) return close(why);
  const hub::Membership* const home = my_place();
  if (home != nullptr && home->room_name() == room) {
    leave_home();
  } else {
    RoomSet::Subscription* const left = rooms()->find(room);
    if (left == nullptr) return;
    forget(*left->membership);
    const RoomSet::Subscription taken = rooms()->take(room);
    // A client that still waits for its answer has not joined anything.
    if (!taken.reply_to.empty()) return refuse(taken.reply_to.view(), why);
    if (!taken.is_confirmed) return refuse({}, why);
  }
  if (!send_event(dialect::LeftByServer{room, base::describe(why.code).name, why.message})) close(why);
}

bool Session::send_direct(DirectMessage& message) {
  if (!is_open()) return false;
  base::Bytes wire;
  if (conversation() == nullptr) {
    wire = message.wire(*encoder_);
  } else {
    std::string made;
    if (encoder_->encode_direct(message.event(), conversation(), made)) wire = base::Bytes::copy_of(made);
  }
  if (wire.empty()) return false;
  transport_->send(wire);
  return true;
}

}  // namespace roomcast::session

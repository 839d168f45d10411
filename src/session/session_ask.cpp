// Requests that are answered at once and change nothing.
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

void Session::run(const dialect::AskPresence& request) {
  const auto room = room_for(request.id, request.room);
  if (room) tell(dialect::PresenceList{request.id, *room, presence_in(*room)});
}

void Session::run(const dialect::AskHistory& request) {
  const auto room = room_for(request.id, request.room);
  if (!room) return;
  const auto page = table_.hub().read_history(*room, request.since, request.limit);
  if (!page) return refuse({request.id, "overloaded", "the room is being opened: try again"});
  tell(dialect::HistoryPage{request.id, *room, page->cursor, page->gap, page->messages, page->more});
  // To encode a page takes its time: one for each turn, so that others are served in between.
  wait_until_drained();
}

void Session::run(const dialect::Ping& request) {
  if (request.id.empty()) {
    tell(dialect::Pong{});
  } else {
    tell(dialect::Done{request.id, {}});
  }
}

dialect::Presence Session::presence_in(std::string_view room) const {
  const std::size_t count = table_.hub().subscribers(room);
  return {count, std::nullopt, count};
}

}  // namespace roomcast::session

// Requests that change nothing. A long answer comes behind what others want less of: while its question waits
// nothing more is read of the client.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "session/question.h"
#include "session/room_set.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

void Session::postpone(std::unique_ptr<Question> question) {
  table_.scheduler().mark_deferred(*question);
  extras().question = std::move(question);
  transport_->pause();
}

void Session::answer_question() {
  const std::unique_ptr<Question> question = std::move(extras_->question);
  if (question->history()) {
    answer_history(*question->history(), question->room());
  } else {
    answer_presence(question->id(), question->room());
  }
  // One for each turn, so that others are served in between.
  if (is_open()) wait_until_drained();
}

void Session::run(const dialect::AskPresence& request) {
  constexpr std::size_t few_names = 64;
  const auto room = room_for(request.id, request.room);
  if (!room) return;
  if (table_.hub().listed(*room) <= few_names) return answer_presence(request.id, *room);
  postpone(std::make_unique<Question>(*this, request.id, *room, std::nullopt));
}

void Session::run(const dialect::AskHistory& request) {
  const auto room = room_for(request.id, request.room);
  if (room) postpone(std::make_unique<Question>(*this, request.id, *room, request));
}

void Session::answer_presence(dialect::RequestId id, std::string_view room) {
  tell(dialect::PresenceList{id, room, table_.hub().presence(room)});
}

void Session::answer_history(const dialect::AskHistory& request, std::string_view room) {
  const auto page = table_.hub().read_history(room, request.since, request.limit);
  if (!page) return refuse({request.id, "overloaded", "the room is being opened: try again"});
  tell(dialect::HistoryPage{request.id, room, page->cursor, page->gap, page->messages, page->more});
}

void Session::run(const dialect::Ping& request) {
  if (request.id.empty()) {
    tell(dialect::Pong{});
  } else {
    tell(dialect::Done{request.id, {}});
  }
}

}  // namespace roomcast::session

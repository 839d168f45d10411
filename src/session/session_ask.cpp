// Requests that change nothing. Long answers are deferred behind the shorter ones of other clients; until
// then nothing more is read of the client.
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
  const Question& question = *extras_->question;
  if (const auto& history = question.history()) {
    return table_.service().read_history(caller(), question.room(), history->since, history->limit,
                                         [&table = table_, session = id_](const hub::HistoryResult& result) {
                                           Session* const client = table.find(session);
                                           if (client != nullptr) client->on_history(result);
                                         });
  }
  if (!table_.service().knows_presence(question.room())) {
    return table_.service().await_presence(
        caller(), question.room(), [&table = table_, session = id_](const hub::HistoryResult& result) {
          Session* const client = table.find(session);
          if (client != nullptr) client->on_presence_known(result);
        });
  }
  answer_presence(question.id(), question.room());
  end_question();
}

void Session::on_presence_known(const hub::HistoryResult& result) {
  if (!extras_ || !extras_->question) return;
  const Question& question = *extras_->question;
  if (result) {
    answer_presence(question.id(), question.room());
  } else {
    refuse(question.id(), result.error());
  }
  end_question();
}

void Session::on_history(const hub::HistoryResult& result) {
  if (!extras_ || !extras_->question) return;
  const Question& question = *extras_->question;
  if (result) {
    send_event(dialect::HistoryReply{question.id(), question.room(), result->cursor, result->gap,
                                     result->messages, result->more});
  } else {
    refuse(question.id(), result.error());
  }
  end_question();
}

/// One for each turn, so that others are served in between.
void Session::end_question() {
  if (!is_open()) return;
  extras_->question.reset();
  wait_until_drained();
}

void Session::run(const dialect::AskPresence& request) {
  constexpr std::size_t few_names = 64;
  const auto room = room_for(request.id, request.room);
  if (!room) return;
  const bool is_known = table_.service().knows_presence(*room);
  if (is_known && table_.service().listed(*room) <= few_names) return answer_presence(request.id, *room);
  postpone(std::make_unique<Question>(*this, request.id, *room, std::nullopt));
}

void Session::run(const dialect::AskHistory& request) {
  const auto room = room_for(request.id, request.room);
  if (room) postpone(std::make_unique<Question>(*this, request.id, *room, request));
}

void Session::answer_presence(dialect::RequestId id, std::string_view room) {
  auto presence = table_.service().presence(caller(), room);
  if (!presence) return refuse(id, presence.error());
  send_event(dialect::PresenceList{id, room, *std::move(presence)});
}

void Session::run(const dialect::Ping& request) {
  if (request.id.empty()) {
    send_event(dialect::Pong{});
  } else {
    send_event(dialect::Ok{request.id, {}});
  }
}

}  // namespace roomcast::session

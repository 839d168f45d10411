#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/scheduler.h"
#include "dialect/command.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

/// A request whose answer takes long, deferred to a turn of its own.
class Session::Question final : public base::TurnTask {
 public:
  /// `history`: the page that is asked for; absent: the members of the room are asked for.
  Question(Session& session, dialect::RequestId id, std::string_view room,
           const std::optional<dialect::AskHistory>& history)
      : session_(session), id_(id), room_(room), history_(history) {
    // The views of the request live no longer than its message.
    if (!history_) return;
    history_->id = id_;
    history_->room.reset();
  }
  ~Question() { session_.table_.scheduler().forget(*this); }

  [[nodiscard]] dialect::RequestId id() const { return id_; }
  [[nodiscard]] std::string_view room() const { return room_; }
  [[nodiscard]] const std::optional<dialect::AskHistory>& history() const { return history_; }

 private:
  void run_at_turn_end() override { session_.answer_question(); }

  Session& session_;
  std::string id_;
  std::string room_;
  std::optional<dialect::AskHistory> history_;
};

}  // namespace roomcast::session

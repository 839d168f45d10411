#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/scheduler.h"
#include "hub/look_back.h"
#include "hub/presence_place.h"
#include "hub/refusal.h"
#include "hub/subscriber.h"

namespace roomcast::hub {

class Room;

/// A member of a room as the hub sees it: the base of Membership, which is what its owner sees. Holds the
/// state that the member is in and changes it; what is sent in which state is decided by the hub.
///
///     joining ── acknowledge ─▶ catching_up ── go_live ─▶ live
///       │                       ▲  │    ▲                  │
///       │await_start acknowledge│  │    │end_await         │fall_behind
///       ▼                       │  ▼    │await_page        ▼
///     awaiting_start ───────────┘  awaiting_page       catching_up
///
/// `refuse` notes a refusal in any state but live; `end_refused` ends the member with it.
class Member : public base::TurnTask {
 public:
  enum class State : std::uint8_t {
    joining,         ///< Subscriber::on_joined has not been called yet
    awaiting_start,  ///< the same, and the page that it begins with is being read by the engine
    catching_up,     ///< gets messages from history, page by page
    awaiting_page,   ///< the same, and the next page is being read by the engine
    live,            ///< gets every fan-out
    refused,         ///< Subscriber::on_refused has been called: nothing more comes
  };

  Member(Subscriber& subscriber, const Interest& interest);
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  /// The membership that this is part of, for calling its subscriber.
  [[nodiscard]] virtual Membership& membership() = 0;
  [[nodiscard]] Subscriber& subscriber() const { return subscriber_; }
  /// The room that it is in; set by `enter`, once, which is when it joins.
  [[nodiscard]] Room& room() const { return *room_; }
  void enter(Room& room) { room_ = &room; }

  [[nodiscard]] State state() const { return replay_ ? replay_->state : State::live; }
  [[nodiscard]] bool is_live() const { return !replay_; }
  [[nodiscard]] bool is_catching_up() const {
    return replay_ && (replay_->state == State::catching_up || replay_->state == State::awaiting_page);
  }

  /// Its join has not been acknowledged or refused.
  [[nodiscard]] bool is_new() const {
    return replay_ && (replay_->state == State::joining || replay_->state == State::awaiting_start);
  }

  // --- Only while it is not live ---

  /// What it asked for when it joined; defaults for a member that has been live.
  [[nodiscard]] const Interest& interest() const { return replay_->interest; }
  /// Whether it has a start position: a room that is not open yet has none to give.
  [[nodiscard]] bool has_start() const { return replay_->start.cursor.epoch != 0; }
  [[nodiscard]] const Joined& start() const { return replay_->start; }
  /// The offset up to which it has everything.
  [[nodiscard]] std::uint64_t after() const { return replay_->after; }
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return replay_->refusal; }

  /// Sets or moves the position from which it gets everything.
  void start_at(const Joined& start);
  /// The place that it asked to begin at is not known here: see RoomLog::look_back_for.
  void look_back_from(const std::optional<LookBack>& look_back) { replay_->look_back = look_back; }
  [[nodiscard]] const std::optional<LookBack>& look_back() const { return replay_->look_back; }
  /// It has been handed everything up to `offset`.
  void advance_to(std::uint64_t offset) { replay_->after = offset; }
  /// joining → awaiting_start.
  void await_start() { replay_->state = State::awaiting_start; }
  /// joining, awaiting_start → catching_up.
  void acknowledge() { replay_->state = State::catching_up; }
  /// catching_up → awaiting_page.
  void await_page() { replay_->state = State::awaiting_page; }
  /// A page may be asked for again, or has come: awaiting_page → catching_up; in awaiting_start it stays.
  void end_await(bool has_come) {
    if (replay_->state == State::awaiting_page) replay_->state = State::catching_up;
    replay_->has_page_come = has_come;
  }
  /// Whether one has come since the last call.
  [[nodiscard]] bool take_page_come() { return std::exchange(replay_->has_page_come, false); }
  /// catching_up → live.
  void go_live() { replay_.reset(); }
  /// It is to be refused when it is looked at next.
  void refuse(const Refusal& refusal) { replay_->refusal = refusal; }
  /// Any state but live → refused.
  void end_refused() { replay_->state = State::refused; }
  /// The log has begun anew and goes on after `offset`: nothing of what it still wants is there.
  void lose_log(std::uint64_t offset);
  [[nodiscard]] bool is_log_lost() const { return replay_->is_log_lost; }
  /// It has been told of that.
  void clear_log_lost() { replay_->is_log_lost = false; }
  /// Whether it has fallen behind since the last call.
  [[nodiscard]] bool take_fallen_behind() { return std::exchange(replay_->has_fallen_behind, false); }
  /// Has the page that is due wait for Membership::continue_replay.
  void pause() { replay_->is_paused = true; }
  [[nodiscard]] bool take_paused() { return std::exchange(replay_->is_paused, false); }

  // --- In any state ---

  /// live → catching_up, after `offset`; a member that is not live stays as it is.
  void fall_behind(std::uint64_t offset);

  /// What FanOut keeps about it.
  struct FanOutPlace {
    std::uint32_t index : 24;         ///< among the fan-out's members
    std::uint32_t held_up_round : 8;  ///< the round of waits since which it holds the room up; 0: it does not
  };
  [[nodiscard]] FanOutPlace& fan_out_place() { return fan_out_place_; }
  [[nodiscard]] const FanOutPlace& fan_out_place() const { return fan_out_place_; }
  /// What Presence keeps about it.
  [[nodiscard]] PresencePlace& presence_place() { return presence_place_; }
  [[nodiscard]] const PresencePlace& presence_place() const { return presence_place_; }

 protected:
  ~Member();

 private:
  /// Exists until the member is live, so that an idle one costs nothing for it.
  struct Replay {
    Interest interest;
    Joined start;
    State state = State::joining;
    bool is_paused = false;
    bool has_fallen_behind = false;
    bool is_log_lost = false;
    bool has_page_come = false;
    std::uint64_t after = 0;
    std::optional<LookBack> look_back{};
    std::optional<Refusal> refusal{};
  };

  FanOutPlace fan_out_place_{0, 0};
  Room* room_ = nullptr;
  Subscriber& subscriber_;
  std::unique_ptr<Replay> replay_;
  PresencePlace presence_place_;
};

}  // namespace roomcast::hub

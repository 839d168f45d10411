#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadlines.h"
#include "base/name_map.h"
#include "base/scheduler.h"
#include "hub/catch_up.h"
#include "hub/delayed_publishes.h"
#include "hub/engine.h"
#include "hub/engine_requests.h"
#include "hub/hub_parts.h"
#include "hub/membership.h"
#include "hub/membership_observer.h"
#include "hub/message.h"
#include "hub/outcome.h"
#include "hub/presence.h"
#include "hub/retention.h"
#include "hub/room.h"
#include "hub/room_settings.h"
#include "hub/room_summary.h"

namespace roomcast::hub {

/// The rooms of this server: their members, their last messages, and how messages get from the engine to
/// members. A room is created on first use and evicted when it has no members and its history has aged out,
/// or earlier when all histories together take too much. Knows no sockets.
///
/// Nothing is delivered from within a call: messages are delivered by do_slice at the end of the turn, so a
/// publisher is never on the stack, and a room of any size is served in slices, between which other rooms
/// are. Rooms take turns.
///
/// Publishes that come faster than messages can be delivered wait, each room's in their order, the rooms by
/// turns: a publisher that waits for the outcome before its next publish is slowed down, and no other one is
/// refused anything.
class Hub final : public EngineEvents,
                  public base::SlicedWork,
                  private Retention::Owner,
                  private PresenceTracker::Owner,
                  private EngineRequests::Owner,
                  private base::Deadline::Listener {
 public:
  Hub(const HubParts& parts, const HubLimits& limits, RoomRules rules);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Joins `subscriber` to the room (a valid name, see room_name.h). Drop the membership to leave. The same
  /// as making a Membership.
  [[nodiscard]] std::unique_ptr<Membership> subscribe(std::string_view room, Subscriber& subscriber,
                                                      const Interest& interest = {});
  /// Has `observer`, which outlives the hub, called for every member that joins or leaves from here on.
  void add_observer(MembershipObserver& observer) { observers_.push_back(&observer); }

  /// What a publish does while memory is short.
  enum class WhenShort : std::uint8_t {
    refuse,
    wait,  ///< as if the hub were congested: for publishers that can't be sent a refusal
  };
  /// Publishes into the room (a valid name). `done` may be empty. The room is opened, unless the engine also
  /// takes publishes for rooms without subscribers.
  void publish(std::string_view room, Draft draft, PublishDone done = {},
               WhenShort when_short = WhenShort::refuse);
  /// Whether a publish into the room would have to wait now. Callers that can apply back-pressure should.
  [[nodiscard]] bool would_wait(std::string_view room) const;
  /// Whether the room is known, or there is space to open it: rooms with members are bounded in bytes too
  /// (HubLimits::room_bytes).
  [[nodiscard]] bool has_space_for(std::string_view room) const;
  /// Whether a publish that was not refused here can still come to nothing: see Engine.
  [[nodiscard]] bool may_refuse_late() const { return parts_.engine.may_refuse_publishes(); }

  /// Removes the message at that place of the room (a valid name), or replaces it by another: from here on it
  /// can't be had any more, and members that may have got it are sent an amendment. `done`, which may be
  /// empty, gets the position, or the refusal `not_found` if the room has no such message or has removed it.
  void remove(std::string_view room, const Position& position, PublishDone done);
  void replace(std::string_view room, const Position& position, Draft draft, PublishDone done);
  /// The same for all that the room has; `done` gets the position of the last of them.
  void clear(std::string_view room, PublishDone done);
  /// Calls `done`, if it is not empty, with `result` at the end of the turn.
  void complete(PublishDone done, const PublishResult& result);

  /// What the room (a valid name) has after `since`: at most `limit` messages and at most a page, as replays
  /// are cut into. Without `since` it begins with the last `limit`; without a limit a page begins with the
  /// oldest. `done` is called at once for what is retained here, else when the engine has read it, or the
  /// room is open, which is opened for `source`. Refused when too many wait for that, or it takes longer than
  /// HubLimits::engine_ms.
  void read_history(std::string_view room, const std::optional<Position>& since,
                    const std::optional<std::size_t>& limit, HistoryDone done, Source source = 0);

  /// Whether messages come in faster than they can be delivered.
  [[nodiscard]] bool congested() const { return backlog_bytes_ > limits_.backlog_bytes; }
  /// Whether memory is short: publishes are refused while it is (see app/memory_guard).
  void set_overloaded(bool overloaded);
  [[nodiscard]] bool overloaded() const { return overloaded_; }

  /// Applies to new rooms at once, to present ones now and within the next slices.
  void set_rules(RoomRules rules);
  void set_limits(const HubLimits& limits);
  /// Evicts half of what is retained and not in use, now and within the next slices, for when memory is
  /// short. Returns about how many bytes that will be, as history_bytes counts them; 0 if there is nothing to
  /// evict.
  std::size_t shed_history();

  /// Rooms that are remembered.
  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }
  /// Rooms with at least one member.
  [[nodiscard]] std::size_t occupied_rooms() const { return occupied_rooms_; }
  [[nodiscard]] std::size_t subscribers(std::string_view room) const;
  /// Nothing if the room is not remembered.
  [[nodiscard]] std::optional<RoomSummary> summary(std::string_view room) const;
  /// The end from which visit_rooms begins.
  static constexpr std::size_t last_room = SIZE_MAX;
  /// Visits at most `most` rooms below the place `below`, until `visit` returns false. Returns the place to
  /// go on from; nothing after the last. Rooms that are forgotten meanwhile leave no other one out; one may
  /// be visited twice, and those that are opened meanwhile are not.
  std::optional<std::size_t> visit_rooms(std::size_t below, std::size_t most,
                                         const std::function<bool(const RoomSummary&)>& visit) const;
  /// Who is in the room.
  [[nodiscard]] PresenceSnapshot presence(std::string_view room, Hidden hidden = Hidden::counted) const;
  /// Whether `presence` has the members on all servers. Not where rooms are shared and this one is not open.
  [[nodiscard]] bool knows_presence(std::string_view room) const;
  /// Opens the room (a valid name) for `source`, and calls `done` once it is open, with no messages, or with
  /// why it can't be opened. Perhaps at once.
  void open_for_presence(std::string_view room, HistoryDone done, Source source);
  /// How many members that lists at most.
  [[nodiscard]] std::size_t listed(std::string_view room) const;
  [[nodiscard]] std::size_t backlog_bytes() const { return backlog_bytes_; }
  /// Publishes that wait because of congestion.
  [[nodiscard]] std::size_t delayed() const { return delayed_.size(); }
  [[nodiscard]] std::size_t history_bytes() const { return retention_.bytes(); }
  [[nodiscard]] const HubStats& stats() const { return stats_; }

  void on_subscribed(std::string_view room, const LogState& log) override;
  void on_subscribe_refused(std::string_view room, const Refusal& refusal) override;
  void on_message(std::string_view room, Message&& message) override;
  void on_amended(std::string_view room, Amendment&& amendment) override;
  void on_lost(std::string_view room) override;
  void on_resumed(std::string_view room, const LogState& log) override;
  void on_published(Ticket ticket, const PublishOutcome& outcome) override;
  void on_page(Ticket ticket, ReadOutcome&& outcome) override;
  void on_presence(std::string_view room, std::uint64_t node, const NodeChange& change) override;
  bool do_slice() override;

  // --- For Membership, which alone has a Member ---

  void join(Member& member, std::string_view room);
  void leave(Member& member);
  void rename(Member& member, const Author& author);
  void schedule(Member& member) { catch_up_.schedule(member); }
  void advance(Member& member) { catch_up_.advance(member); }
  /// The member does not hold its room up any more.
  void let_go(Member& member);
  [[nodiscard]] bool would_wait(const Room& room) const {
    return overloaded_ || congested() || room.backlog_bytes() > limits_.room_backlog_bytes ||
           room.record().delayed.has_publishes();
  }

 private:
  // Rooms.
  [[nodiscard]] static RoomSummary summary_of(const Room& room);
  [[nodiscard]] Room* find(std::string_view name) const {
    // Publishers send in runs, and each message asks several times.
    return last_found_ != nullptr && last_found_->name() == name ? last_found_ : look_up(name);
  }
  [[nodiscard]] Room* look_up(std::string_view name) const;
  /// The room, which is open or being opened, for a client of `source` too.
  Room& find_or_create(std::string_view name, Source source);
  void on_evicted(std::string_view room) override;
  void on_presence_changed(ObservedRoom& room) override;
  void on_use_changed(Room& room) { retention_.on_use_changed(room.retained()); }
  void apply_rules_to_some();

  // The engine's logs.
  void subscribe_to(Room& room, Source source);
  void open_for(Room& room, Source source);
  void await_open(Room& room);
  void confirm(Room& room, const Position& position);
  void accept(Room& room, Message&& message);
  void resume(Room& room, const LogState& log);
  void apply_reset(Room& room);
  void answer_history(std::string_view room, Room::HistoryQuestion&& question, Source source);
  void await_history(Room& room, Room::HistoryQuestion&& question);
  [[nodiscard]] std::vector<Room::HistoryQuestion> take_questions(Room& room);
  void refuse_questions(Room& room, const Refusal& refusal);
  void end_opening(Room& room);
  void complete_history(EngineRequests::Read&& read, ReadOutcome&& outcome);
  void on_overdue(Ticket ticket) override;

  // Publishes.
  void hand_over(std::string_view room, Draft draft, PublishDone done);
  void delay(Room& room, Draft draft, PublishDone done);
  void give_turn(Room& room);
  void publish_delayed();
  void refuse(PublishDone done, const Refusal& refusal);
  void refuse_overdue(std::int64_t now_ms);
  [[nodiscard]] bool can_publish_delayed() const {
    return delayed_.has_turns() && !overloaded_ && !congested();
  }
  void run_completions();

  // Amendments.
  /// Opens the room if it may have messages all the same. Returns why the amendment can't be made, if so.
  [[nodiscard]] std::optional<Refusal> prepare_amendment(std::string_view room,
                                                         const std::optional<Position>& position);
  /// Has `make(ticket)` ask the engine for an amendment, unless there is a reason not to.
  template <class Make>
  void ask_to_amend(std::string_view room, const std::optional<Position>& position, PublishDone done,
                    const Make& make);

  // Fan-outs.
  void fan_out_some_rooms();
  std::size_t fan_out_room(Room& room, std::size_t members);
  void wait_for_members(Room& room);
  void end_wait(Room& room);

  void on_deadline() override;
  void watch_time();

  HubParts parts_;
  HubLimits limits_;
  RoomRules rules_;
  HubStats stats_;
  EngineRequests requests_;
  std::vector<MembershipObserver*> observers_;
  PresenceTracker presence_;
  Retention retention_;
  CatchUp catch_up_;

  base::NameMap<std::unique_ptr<Room>> rooms_;
  mutable Room* last_found_ = nullptr;  // in rooms_
  std::vector<Room*> all_;              // every room, in no order
  std::size_t rules_due_ = 0;           // the rooms before it in all_ have not been given the rules yet
  std::size_t occupied_rooms_ = 0;
  std::size_t occupied_bytes_ = 0;  // what they cost
  std::size_t backlog_bytes_ = 0;
  std::size_t questions_ = 0;  // for the history of rooms that are not open
  bool overloaded_ = false;

  std::deque<Room*> active_;  // rooms with work that do not wait, each once, in the order of their turns
  TimedQueue<Room, RoomsHeldUp> held_up_;  // rooms whose fan-out waits for members
  TimedQueue<Room, RoomsToOpen> to_open_;  // rooms that members wait for to be open
  DelayedPublishes delayed_;
  std::deque<std::pair<PublishDone, PublishResult>> completed_;
  base::Deadline due_;  // for looking at held_up_, to_open_ and delayed_
};

}  // namespace roomcast::hub

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/dirty_list.h"
#include "base/name_map.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "hub/engine.h"
#include "hub/membership.h"
#include "hub/membership_observer.h"
#include "hub/message.h"
#include "hub/presence.h"
#include "hub/retention.h"
#include "hub/room.h"
#include "hub/room_settings.h"

namespace roomcast::hub {

/// What a publisher is told once its message has its place.
struct Receipt {
  Position position;
  std::size_t subscribers = 0;  ///< members of the room on this server at that moment
  bool duplicate = false;       ///< published earlier under the same key (see idempotent_publisher.h)
};
using PublishResult = base::Result<Receipt, Refusal>;
/// Called once, at the end of a turn, never from within publish. Keep ids in it, not pointers.
using PublishDone = std::function<void(const PublishResult&)>;
using HistoryResult = base::Result<HistoryPage, Refusal>;
/// Called once, perhaps from within the call that asked. Keep ids in it, not pointers.
using HistoryDone = std::function<void(const HistoryResult&)>;

struct HubLimits {
  /// Messages accepted and not yet handed to every member, as FanOut::backlog_cost counts them; past it
  /// publishes wait.
  std::size_t backlog_bytes = std::size_t{8} << 20U;
  /// All histories together, and what it costs to remember rooms at all.
  std::size_t history_bytes = std::size_t{256} << 20U;
  /// Payload bytes handed over at a time to a member, or one message: well below what a client may have
  /// queued.
  std::size_t page_bytes = 131'072;
  /// The part of backlog_bytes that one room may have.
  std::size_t room_backlog_bytes = std::size_t{2} << 20U;
  /// Publishes that wait, payloads and what is fixed about each, at the most; further ones are refused.
  std::size_t delayed_bytes = std::size_t{32} << 20U;
  /// How long a publish may wait.
  std::int64_t delayed_ms = 10'000;
  /// What it may cost to remember the rooms that have members.
  std::size_t room_bytes = std::size_t{256} << 20U;
  /// How long the engine may take to open a room, to give a message its place, or to read a page.
  std::int64_t engine_ms = 10'000;
};

struct HubStats {
  std::uint64_t published = 0;   ///< messages that came in through on_message
  std::uint64_t deliveries = 0;  ///< messages × members handed over live
  std::uint64_t replayed = 0;    ///< messages × members handed over from history
  std::uint64_t gaps = 0;        ///< members told that messages may be missing
  std::uint64_t refused = 0;     ///< publishes refused here
  std::uint64_t repeated = 0;    ///< messages that the engine brought once more
  std::uint64_t lost = 0;        ///< times that a room's messages stopped following each other
};

/// What everything in the hub leans on; outlives it.
struct HubParts {
  Engine& engine;
  base::Scheduler& scheduler;
  const base::Clock& clock;
  base::Deadlines& deadlines;
};

/// The rooms, their last messages and who is in them. A room is created on first use and forgotten when
/// nobody is in it and its history has aged out, or earlier when all histories together take too much. Knows
/// no sockets.
///
/// Nothing is delivered from within a call: messages are handed out by do_slice at the end of the turn, so a
/// publisher is never on the stack, and a room of any size is fanned out to in slices between which everybody
/// else is served. Rooms take turns.
///
/// Publishes that come faster than messages can be handed out wait, each room's in their order, the rooms by
/// turns. So whoever waits for the outcome before the next is slowed down, and nobody else is refused
/// anything.
class Hub final : public EngineEvents,
                  public base::SlicedWork,
                  private Retention::Owner,
                  private PresenceTracker::Owner,
                  private base::Deadline::Listener {
 public:
  Hub(const HubParts& parts, const HubLimits& limits, RoomRules rules = {});
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Joins `subscriber` to the room (a valid name, see room_name.h). Drop the membership to leave. The same
  /// as making a Membership oneself.
  [[nodiscard]] std::unique_ptr<Membership> subscribe(std::string_view room, Subscriber& subscriber,
                                                      const Interest& interest = {});

  /// Has `observer`, which outlives the hub, called for every member that joins or leaves from here on.
  void add_observer(MembershipObserver& observer) { observers_.push_back(&observer); }

  /// What is to become of a publish while memory is short.
  enum class WhenShort : std::uint8_t {
    refuse,
    wait,  ///< as if the hub were congested: for who can't be told no
  };
  /// Publishes into the room (a valid name). `done` may be empty.
  void publish(std::string_view room, Draft draft, PublishDone done = {},
               WhenShort when_short = WhenShort::refuse);
  /// Whether a publish into the room would have to wait now: whoever publishes all the same and does not wait
  /// for its outcome takes more than its share.
  [[nodiscard]] bool would_wait(std::string_view room) const;
  /// Whether the room is known, or there is space to open it: rooms with members are bounded in bytes too
  /// (HubLimits::room_bytes).
  [[nodiscard]] bool has_space_for(std::string_view room) const;

  /// What the room (a valid name) has after `since`: at most `limit` messages and at most a page, as replays
  /// are cut into. Without `since` it begins with the last `limit`; without a limit a page begins with the
  /// oldest. `done` is called at once for what is kept here, else when the engine has read it. Refused while
  /// the room is not open.
  void read_history(std::string_view room, const std::optional<Position>& since,
                    const std::optional<std::size_t>& limit, HistoryDone done);
  /// Whether a publish that was not refused here can still come to nothing: see Engine.
  [[nodiscard]] bool may_refuse_late() const { return parts_.engine.may_refuse_publishes(); }

  /// Whether messages come in faster than they can be handed out.
  [[nodiscard]] bool congested() const { return backlog_bytes_ > limits_.backlog_bytes; }
  /// Whether memory is short: publishes are refused while it is (see app/memory_guard).
  void set_overloaded(bool overloaded);
  [[nodiscard]] bool overloaded() const { return overloaded_; }

  /// Applies to new rooms at once, to those there are now and within the next slices.
  void set_rules(RoomRules rules);
  void set_limits(const HubLimits& limits);
  /// Has half of what is remembered and not in use forgotten, now and within the next slices, for when memory
  /// is short. Returns about how many bytes that will be, as history_bytes counts them; 0 if there is nothing
  /// to forget.
  std::size_t shed_history();

  /// Rooms that are remembered.
  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }
  /// Rooms with at least one member.
  [[nodiscard]] std::size_t occupied_rooms() const { return occupied_rooms_; }
  [[nodiscard]] std::size_t subscribers(std::string_view room) const;
  /// Who is in the room.
  [[nodiscard]] PresenceSnapshot presence(std::string_view room) const;
  /// How many names that lists.
  [[nodiscard]] std::size_t listed(std::string_view room) const;
  [[nodiscard]] std::size_t backlog_bytes() const { return backlog_bytes_; }
  /// Publishes that wait because of congestion.
  [[nodiscard]] std::size_t delayed() const { return delayed_.size(); }
  [[nodiscard]] std::size_t history_bytes() const { return retention_.bytes(); }
  [[nodiscard]] const HubStats& stats() const { return stats_; }

  void on_subscribed(std::string_view room, const LogState& log) override;
  void on_subscribe_refused(std::string_view room, const Refusal& refusal) override;
  void on_message(std::string_view room, Message&& message) override;
  void on_lost(std::string_view room) override;
  void on_resumed(std::string_view room, const LogState& log) override;
  void on_published(Ticket ticket, const PublishOutcome& outcome) override;
  void on_page(Ticket ticket, ReadOutcome&& outcome) override;
  bool do_slice() override;

  // --- For memberships and rooms ---

  /// Joins a member that Membership has just made.
  void join(Member& member, std::string_view room);
  void leave(Member& member);
  /// Has `advance` called at the end of the turn.
  void schedule(Member& member);
  /// Brings a member that is not live one step further: on_joined, a page, or live.
  void advance(Member& member);
  void let_go(Member& member);
  [[nodiscard]] bool would_wait(const Room& room) const {
    return overloaded_ || congested() || room.backlog_bytes() > limits_.room_backlog_bytes ||
           room.has_delayed();
  }

 private:
  friend class Room;
  struct Waiting {
    std::string room;
    PublishDone done;
  };
  /// A page that the engine is asked for: for the members of a room that catch up, or for a question.
  struct Read {
    std::string room;
    HistoryPage page{};  // of a question: what is known of it
    std::size_t messages_max = 0;
    HistoryDone done{};  // of a question
  };
  /// A publish that waits for congestion to end.
  struct Delayed {
    Room* room = nullptr;
    Draft draft;
    PublishDone done;
    std::int64_t until_ms = 0;
  };

  [[nodiscard]] Room* find(std::string_view name) const {
    // Publishers send in runs, and each message asks several times.
    return last_found_ != nullptr && last_found_->name() == name ? last_found_ : look_up(name);
  }
  [[nodiscard]] Room* look_up(std::string_view name) const;
  Room& find_or_create(std::string_view name);

  [[nodiscard]] base::DirtyList& list_of(const Member& member);
  void on_due(Room& room) { retention_.trim(room); }
  void on_presence_changed(ObservedRoom& room) override;

  // Publishes that wait.
  void delay(Room& room, Draft draft, PublishDone done);
  void give_turn(Room& room);
  void publish_delayed();
  void hand_over(Room& room, Draft draft, PublishDone done);
  void refuse(PublishDone done, const Refusal& refusal);
  void on_deadline() override;
  void refuse_overdue(std::int64_t now_ms);
  [[nodiscard]] bool can_publish_delayed() const {
    return !delayed_rooms_.empty() && !overloaded_ && !congested();
  }

  // What the engine is asked for, in hub_engine.cpp.
  void subscribe_to(Room& room);
  void await_open(Room& room);
  void end_await(Room& room);
  void schedule_all(Room& room);
  void refuse_joining(Room& room, const Refusal& refusal);
  void end_refused(Member& member);
  void apply_reset(Room& room);
  void take_in(Room& room, Message&& message);
  void resume(Room& room, const LogState& log);
  void want_page(Member& member);
  void begin_read(Room& room, std::uint64_t after);
  void begin_next_read();
  void release_awaiting(Room& room);
  void advance_ready();
  void end_ready(Room& room);
  void answer_question(Read&& read, ReadOutcome&& outcome);
  void watch_answer(Ticket ticket);
  void end_overdue_requests(std::int64_t now_ms);

  // Fan-outs that wait for members.
  void park(Room& room);
  void unpark(Room& room);
  void end_parking(Room& room);
  void watch_time();

  void on_forgotten(Room& room) override;
  void apply_rules_to_some();
  void run_completions();
  void advance_some();
  [[nodiscard]] bool notify(Member& member);
  [[nodiscard]] bool may_make_page() const;
  void replay(Member& member);
  void note_page(Room& room);
  void fan_out_some_rooms();
  std::size_t fan_out_room(Room& room, std::size_t members);

  HubParts parts_;
  HubLimits limits_;
  RoomRules rules_;
  HubStats stats_;
  base::NameMap<std::unique_ptr<Room>> rooms_;
  mutable Room* last_found_ = nullptr;  // in rooms_
  std::deque<Room*> active_;            // rooms with work, each once, in the order in which they take turns
  std::list<Room*> parked_;             // rooms whose fan-out waits for members, the longest waiting first
  std::vector<Room*> all_;              // every room, in no order
  std::size_t rules_due_ = 0;           // the rooms before it in all_ have not been given the rules yet
  std::size_t occupied_rooms_ = 0;
  std::size_t occupied_bytes_ = 0;  // what they cost
  std::size_t backlog_bytes_ = 0;
  bool overloaded_ = false;

  base::DirtyList joining_;          // members whose join is to be acknowledged
  base::DirtyList catching_up_;      // members that were told and are to get a page of the past
  Member* advancing_ = nullptr;      // the one that on_joined or on_gap is being called for
  std::size_t page_bytes_made_ = 0;  // in this slice, as Room::Replay counts them
  std::size_t joins_told_ = 0;       // in this slice, and the names listed for them
  std::deque<Room*> with_page_;      // rooms that may hold a page of their past, the oldest page first

  PresenceTracker presence_;
  std::vector<MembershipObserver*> observers_;
  Retention retention_;

  std::unordered_map<Ticket, Waiting> waiting_;  // for the places of messages
  std::unordered_map<Ticket, Read> reads_;
  std::size_t member_reads_ = 0;  // of those, for members
  std::deque<std::pair<std::int64_t, Ticket>>
      unanswered_;                   // until when, the first asked first; some have gone
  std::list<Room*> awaited_;         // rooms that are not open, by when that must end
  std::deque<Room*> ready_rooms_;    // for whose members a page has come
  std::deque<Room*> wanting_rooms_;  // for whose members one is still to be asked for
  std::deque<std::pair<PublishDone, PublishResult>> completed_;
  Ticket last_ticket_ = 0;

  base::SlotMap<Delayed> delayed_;
  std::deque<base::SlotId> delayed_order_;  // the longest waiting first; some have gone
  std::deque<Room*> delayed_rooms_;         // rooms whose delayed publishes can go on, by turns
  std::size_t delayed_bytes_ = 0;
  base::Deadline due_;  // of the first that waits, publish or fan-out
};

}  // namespace roomcast::hub

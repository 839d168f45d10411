#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadlines.h"
#include "base/dirty_list.h"
#include "base/slot_map.h"
#include "hub/engine.h"
#include "hub/fan_out.h"
#include "hub/member.h"
#include "hub/membership_observer.h"
#include "hub/presence.h"
#include "hub/room_log.h"
#include "hub/room_settings.h"

namespace roomcast::hub {

/// A room: its log, and its members with the messages on their way to them. Joins the parts; what is to be
/// done when is the hub's to say.
class Room final : public ObservedRoom, private base::Deadline::Listener {
 public:
  /// `kept_bytes`: see History.
  Room(Hub& hub, base::Deadlines& deadlines, std::string name, const RoomSettings& settings,
       KeptBytes& kept_bytes)
      : hub_(hub),
        name_(std::move(name)),
        settings_(settings),
        log_(name_, kept_bytes),
        fan_out_(name_),
        due_(deadlines, *this) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  [[nodiscard]] Hub& hub() const { return hub_; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const RoomSettings& settings() const override { return settings_; }
  void set_settings(const RoomSettings& settings) { settings_ = settings; }
  [[nodiscard]] RoomLog& log() { return log_; }
  [[nodiscard]] const RoomLog& log() const { return log_; }
  [[nodiscard]] FanOut& fan_out() { return fan_out_; }
  [[nodiscard]] const FanOut& fan_out() const { return fan_out_; }
  [[nodiscard]] std::size_t members() const override { return fan_out_.size(); }

  // --- Log ---

  /// The engine has opened the log at `log`: members get their start positions.
  void open(const LogState& log);
  /// The log goes on after `log.top`. What was accepted before is delivered first: see is_reset_due.
  void resume(const LogState& log);
  /// Whether everything is delivered that came before a pending reset.
  [[nodiscard]] bool is_reset_due() const { return log_.is_reset_pending() && !fan_out_.has_work(); }
  /// Applies the reset: members that were live catch up, from where they were in the same epoch, else after a
  /// gap. Returns what has been accepted since, to be accepted again. The history is the caller's to clear.
  [[nodiscard]] std::vector<Message> apply_reset();
  /// Accepts the next message, for the next fan-out or, with a reset pending, for after it. Keeping it in the
  /// history is the caller's. The reference is valid until the next call.
  const Message& accept(Message&& message);
  /// Whether there is something to deliver, or a reset to apply.
  [[nodiscard]] bool has_work() const { return fan_out_.has_work() || log_.is_reset_pending(); }
  /// The cost of all that, as HubLimits::backlog_bytes bounds it.
  [[nodiscard]] std::size_t backlog_bytes() const {
    return fan_out_.backlog_bytes() + held_bytes_ + (has_work() ? work_cost : 0);
  }
  /// The fixed cost of a room with work: hundreds of rooms take as long as one large one.
  static constexpr std::size_t work_cost = 2'048;

  // --- Members ---

  void join(Member& member);
  void leave(Member& member);
  /// joining → catching_up.
  void acknowledge(Member& member);
  /// Any state but live → refused.
  void end_refused(Member& member);
  /// Gives a member that is not live its start position; the log is open.
  void assign_start(Member& member) const;
  /// Whether everything after `offset` can still be had.
  [[nodiscard]] bool can_continue_after(std::uint64_t offset) const {
    return log_.can_continue_after(offset, fan_out_.handed_offset());
  }
  /// catching_up → live if the member has everything that a fan-out has taken. False if it has not.
  bool go_live(Member& member);
  struct Replay {
    std::size_t messages = 0;    ///< delivered
    std::size_t made_bytes = 0;  ///< the cost of making and encoding the page, see Batch::encoded_bytes
  };
  /// Delivers the next page to a member that is catching up; with the last one it is live. The log has the
  /// page.
  Replay replay(Member& member, std::size_t page_bytes);
  /// Whether `member` has been handed everything up to `offset`.
  [[nodiscard]] bool has_handed(const Member& member, std::uint64_t offset) const;
  /// A slice of the fan-out, see FanOut::run. None begins before all pending joins are acknowledged.
  FanOut::Progress deliver(std::size_t member_count, std::size_t page_bytes);

  /// Whether it can't be forgotten, however little there is to remember.
  [[nodiscard]] bool is_in_use() const {
    return members() != 0 || has_work() || (presence() != nullptr && presence()->is_linked()) ||
           has_delayed() || has_delayed_turn_;
  }

  /// Whether a name that has left may still return within its grace time.
  [[nodiscard]] bool awaits_return() const { return presence() != nullptr && members() == 0; }

 private:
  friend class Hub;
  friend class Retention;
  [[nodiscard]] bool has_delayed() const { return delayed_ && !delayed_->empty(); }
  void on_deadline() override;

  /// Members that wait for pages out of the engine.
  struct PastReading {
    Ticket ticket = 0;         // of the page that is being read; 0: none
    bool is_queued = false;    // it is still to be asked for
    std::uint64_t after = 0;   // what was asked for
    std::size_t awaiting = 0;  // which of the lists has those whom no page has come for yet; the other has
    std::array<base::DirtyList, 2> lists;  // those for whom the last one has come
    std::optional<Refusal> refusal{};      // instead of it

    void forget(base::Flushable& item) {
      if (!lists[0].forget(item)) lists[1].forget(item);
    }
    /// False if all are served for whom the last page came.
    bool flush_next_ready() { return ready_list().flush_next(); }
    [[nodiscard]] base::DirtyList& awaiting_list() { return lists.at(awaiting); }
    [[nodiscard]] base::DirtyList& ready_list() { return lists.at(1 - awaiting); }
  };

  Hub& hub_;
  std::string name_;
  RoomSettings settings_;
  RoomLog log_;
  FanOut fan_out_;
  std::size_t joining_ = 0;     // members in that state
  std::size_t held_bytes_ = 0;  // the backlog cost of what the log holds

  std::unique_ptr<PastReading> past_;  // while the engine is asked for some

  // The hub's notes.
  bool parked_ = false;             // its fan-out waits for members
  bool has_delayed_turn_ = false;   // it is among the rooms whose delayed publishes go on
  std::uint32_t index_in_all_ = 0;  // in Hub::all_
  std::int64_t park_until_ms_ = 0;
  std::list<Room*>::iterator parked_place_;
  std::unique_ptr<std::deque<base::SlotId>> delayed_;  // publishes that wait, oldest first
  bool subscribed_ = false;                            // to the engine
  bool is_awaited_ = false;                            // members wait for it to be open, at most
  std::int64_t await_until_ms_ = 0;                    // so long
  std::list<Room*>::iterator awaited_place_;

  // Retention's notes.
  base::Deadline due_;           // for looking whether old messages, or all of the room, can be forgotten
  std::int64_t touched_ms_ = 0;  // last publish, join or leave
  std::list<Room*>* retention_list_ = nullptr;
  std::list<Room*>::iterator place_;
  std::list<Room*>::iterator place_of_source_;
  Source source_ = 0;  // of the oldest message; 0: unknown, or there is none
};

}  // namespace roomcast::hub

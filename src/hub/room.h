#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/deadlines.h"
#include "hub/delayed_publishes.h"
#include "hub/engine.h"
#include "hub/fan_out.h"
#include "hub/member.h"
#include "hub/membership_observer.h"
#include "hub/outcome.h"
#include "hub/page_reading.h"
#include "hub/retention.h"
#include "hub/room_log.h"
#include "hub/room_settings.h"
#include "hub/source.h"
#include "hub/timed_queue.h"

namespace roomcast::hub {

class Hub;

struct RoomsHeldUp;
struct RoomsToOpen;

/// A room: its log, and its members with the messages on their way to them. Joins the parts; what is to be
/// done when is the hub's to say.
class Room final : public ObservedRoom,
                   public Timed<RoomsHeldUp>,
                   public Timed<RoomsToOpen>,
                   private Retention::Subject {
 public:
  /// A question for the history of a room that is not open, or only for it to be open.
  struct HistoryQuestion {
    std::optional<Position> since;
    std::optional<std::size_t> limit;
    HistoryDone done;
    bool only_opens = false;
  };
  /// The hub's record of the room.
  struct HubRecord {
    DelayedPublishes::Queue delayed;
    std::unique_ptr<PageReading> reading;    // while members wait for pages from the engine
    std::vector<HistoryQuestion> questions;  // until the room is open
    std::size_t index = 0;                   // in Hub::all_
    bool is_subscribed = false;              // to the engine
    Source opened_for = 0;                   // with the source that has asked last
  };

  Room(Hub& hub, Retention& retention, base::Deadlines& deadlines, std::string name,
       const RoomSettings& settings)
      : hub_(hub),
        name_(std::move(name)),
        settings_(settings),
        log_(name_, retention.kept_bytes()),
        fan_out_(name_),
        retained_(retention, deadlines, *this, name_, log_.history(), settings_.history),
        record_{DelayedPublishes::Queue(*this), nullptr, {}} {
    log_.set_kept(settings.kept_messages);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  [[nodiscard]] Hub& hub() const { return hub_; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const RoomSettings& settings() const override { return settings_; }
  /// What the room retains is brought in line by Retention::trim.
  void set_settings(const RoomSettings& settings) {
    settings_ = settings;
    log_.set_kept(settings.kept_messages);
  }
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
  /// Applies it to what is on its way to members, and passes it on to those that may have what it changes.
  /// The history is the caller's. Nothing happens if it is of another log.
  void amend(Amendment&& amendment);
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
  /// joining → awaiting_start: it does not hold up the fan-out any more.
  void await_start(Member& member);
  /// joining, awaiting_start → catching_up.
  void acknowledge(Member& member);
  /// Any state but live → refused.
  void end_refused(Member& member);
  /// Gives a member that is not live its start position; the log is open.
  void assign_start(Member& member) const;
  /// Whether everything after `offset` can still be had.
  [[nodiscard]] bool can_continue_after(std::uint64_t offset) const {
    return log_.can_continue_after(offset, fan_out_.handed_offset());
  }
  /// Sets where a member that was to look back starts.
  void start_at(Member& member, std::uint64_t offset) const;
  /// Tells a member that is to start behind a gap where the room begins now.
  void renew_earliest(Member& member) const;
  /// See RoomLog::is_certain.
  [[nodiscard]] bool is_certain(const Joined& start) const {
    return log_.is_certain(start, fan_out_.handed_offset());
  }
  /// After which offset the page is that makes it certain.
  [[nodiscard]] std::uint64_t page_to_begin_with(const Joined& start) const;
  /// The same for where it would go on: see RoomLog::behind_hole.
  [[nodiscard]] std::uint64_t behind_hole(std::uint64_t offset) const {
    return log_.behind_hole(offset, fan_out_.handed_offset());
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

  /// What Retention keeps about the room.
  [[nodiscard]] Retention::Entry& retained() { return retained_; }
  [[nodiscard]] HubRecord& record() { return record_; }
  [[nodiscard]] const HubRecord& record() const { return record_; }

 private:
  [[nodiscard]] Use use() const override;

  Hub& hub_;
  std::string name_;
  RoomSettings settings_;
  RoomLog log_;
  FanOut fan_out_;
  std::size_t joining_ = 0;     // members in that state
  std::size_t held_bytes_ = 0;  // the backlog cost of what the log holds
  Retention::Entry retained_;
  HubRecord record_;
};

}  // namespace roomcast::hub

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
#include "hub/encode_cache.h"
#include "hub/engine.h"
#include "hub/history.h"
#include "hub/membership.h"
#include "hub/presence.h"
#include "hub/room_settings.h"

namespace roomcast::hub {

/// A named stream, who is in it, and its last messages. Accepts messages at any time and hands them out in
/// fan-outs: a fan-out takes what has been accepted so far, a page at most, as one batch past every member,
/// in slices. Members that become live meanwhile are owed nothing of that batch; members that leave meanwhile
/// leave a hole that is closed when the fan-out ends.
///
/// So that nobody is too slow only because the server is fast, what is much (see is_much_to_come) is handed
/// out page by page, as members get rid of what they were handed. But nobody makes the others wait for long:
/// whoever takes longer than park_ms is not waited for again until it has caught up. Anything less waits for
/// nobody.
class Room final : private base::Deadline::Listener {
 public:
  /// `kept_bytes`: see History.
  Room(Hub& hub, base::Deadlines& deadlines, std::string name, const RoomSettings& settings,
       KeptBytes& kept_bytes)
      : hub_(hub),
        name_(std::move(name)),
        settings_(settings),
        history_(kept_bytes),
        due_(deadlines, *this) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::size_t members() const { return members_.size() - holes_.size(); }
  [[nodiscard]] const RoomSettings& settings() const { return settings_; }
  /// What the room keeps is brought in line by Retention::trim.
  void set_settings(const RoomSettings& settings);

  /// The engine has said where the room's log stands: from here on members have a place in it. Of a room that
  /// has no log yet.
  void open(const LogState& log);
  /// Whether the engine has ever said so.
  [[nodiscard]] bool has_log() const { return top_.epoch != 0; }
  /// Whether members can have a place in it now.
  [[nodiscard]] bool is_open() const { return has_log() && !is_lost_ && !reset_; }
  /// Messages may be missing from here on, until `resume`.
  void lose() { is_lost_ = true; }
  /// Messages follow each other again after `log.top`. What was accepted before is handed out first: see
  /// is_reset_due.
  void resume(const LogState& log);
  [[nodiscard]] bool is_moving_on() const { return reset_ != nullptr; }
  /// The log as far as it is known, its last message at `top`.
  [[nodiscard]] LogState log_at(const Position& top) const {
    const bool has_past = floor_ != LogState::no_past;
    return {top, has_past && top.epoch != top_.epoch ? top.offset : floor_};
  }
  /// Whether everything is handed out that came before the log moved on to where it stands now.
  [[nodiscard]] bool is_reset_due() const { return reset_ && !fanning_out_ && accepted_messages_.empty(); }
  /// Moves on: members that were live catch up, from where they were in the same epoch, else behind a gap.
  /// Returns what has been accepted since, to be accepted anew; nothing is kept of the history.
  [[nodiscard]] std::vector<Message> move_on();
  /// How a message's place follows what has been accepted.
  enum class Follows : std::uint8_t { directly, not_at_all, already_there };
  [[nodiscard]] Follows judge(const Position& position) const;
  /// The place of the last message.
  [[nodiscard]] const Position& top() const { return top_; }
  /// The earliest place after which everything can be had, here or from the engine.
  [[nodiscard]] Position earliest() const;
  /// The earliest place after which everything is kept here.
  [[nodiscard]] Position earliest_here() const;
  [[nodiscard]] History& history() { return history_; }
  [[nodiscard]] const History& history() const { return history_; }

  /// Takes a message, which comes after top(), for the next fan-out. The history is the hub's to keep. Where
  /// the message stands is valid until the next one.
  const Message& accept(Message&& message);
  /// Whether a fan-out is under way or there are messages to begin one with.
  [[nodiscard]] bool has_work() const { return fanning_out_ || !accepted_messages_.empty() || reset_; }

  /// Whether it can't be forgotten, however little there is to remember.
  [[nodiscard]] bool is_in_use() const {
    return members() != 0 || has_work() || telling_ || has_delayed() || has_delayed_turn_;
  }

  /// Whether somebody who left may still come back before anybody is told.
  [[nodiscard]] bool awaits_return() const { return presence_ && members() == 0; }

  /// Whether `member` has been handed everything up to `offset`.
  [[nodiscard]] bool has_handed(const Membership& member, std::uint64_t offset) const;

  struct Progress {
    std::size_t deliveries = 0;      ///< messages × members in this slice
    std::size_t members = 0;         ///< passed in this slice
    std::size_t encoded_bytes = 0;   ///< see Batch::encoded_bytes
    std::size_t released_bytes = 0;  ///< of the backlog: accepted earlier and now handed to everybody
  };
  /// Takes the fan-out past at most `member_count` further members, fewer after an encoding that took long,
  /// beginning one if there is none. None begins while somebody who has joined has not been told so: nobody
  /// is overtaken on the doorstep.
  Progress fan_out(std::size_t member_count);

  /// What messages count that were accepted and not handed to every member yet.
  [[nodiscard]] std::size_t backlog_bytes() const { return backlog_bytes_; }
  /// What a room counts that has messages to hand out, whoever is in it: hundreds of rooms take as long as
  /// one large one.
  static constexpr std::size_t fan_out_cost = 2'048;
  /// What one message counts in a backlog: what is fixed about handing it out, and its payload.
  [[nodiscard]] static std::size_t backlog_cost(const Message& message) {
    constexpr std::size_t fixed = 1'024;
    return fixed + (message.is_shared ? 0 : message.payload.size());
  }

  static constexpr std::int64_t park_ms = 500;
  /// Of a page, beside its bytes: what is fixed about encoding a message counts too.
  static constexpr std::size_t page_messages = 512;
  /// Whether the next fan-out should wait for members who have not got rid of what the last ones handed them.
  [[nodiscard]] bool should_park() const { return !fanning_out_ && waited_for_ != 0 && is_much_to_come(); }
  /// The wait is over; whoever has not let go is not waited for any more.
  void end_wait();

  /// Fixes where a member begins that is not live yet; the room is open.
  void plan(Membership& member) const;
  /// Whether everything after `offset` can still be had.
  [[nodiscard]] bool can_continue_after(std::uint64_t offset) const;
  /// Whether the next page behind `offset` is here: in the history, or read before.
  [[nodiscard]] bool has_page_after(std::uint64_t offset) const;
  /// Keeps what the engine has read, as far as a fan-out has come, for those who catch up. `after`: what was
  /// asked for.
  void take_page_read(std::uint64_t after, LogPage&& page);
  /// See Hub::read_history; only of an open room. Without messages where `is_kept_here` says no: the page
  /// begins before what is.
  [[nodiscard]] HistoryPage read(const std::optional<Position>& since,
                                 const std::optional<std::size_t>& limit) const;
  /// Completes the page of a question, which begins before what is kept here, by what the engine has read.
  void add_read(LogPage&& read, std::size_t messages_max, HistoryPage& page) const;
  /// Whether what comes right behind `place` is in the history, if there is anything.
  [[nodiscard]] bool is_kept_here(const Position& place) const {
    return place.offset >= earliest_here().offset;
  }

  struct Replay {
    std::size_t messages = 0;    ///< handed over
    std::size_t made_bytes = 0;  ///< what had to be made and encoded for this, see Batch::encoded_bytes
  };
  /// Makes a member live that has been told that it joined and wants nothing of the past, or has got it
  /// already. False if it does.
  bool go_live(Membership& member);
  /// Delivers the next page of the past to such a member; with the last one it is live. Everything after
  /// where it stands can be handed over, and the next page is here.
  Replay replay(Membership& member);
  /// Forgets the page, with its encodings, that is kept for whoever catches up next.
  void drop_page() { page_.reset(); }

  [[nodiscard]] PresenceSnapshot presence() const;
  /// How many names that lists.
  [[nodiscard]] std::size_t listed() const { return presence_ ? presence_->listed() : 0; }
  /// Whether there is something to tell those who watch who is here.
  [[nodiscard]] bool has_presence_update() const { return presence_ && presence_->has_news(); }
  /// Tells the first of it to at most `watcher_count` further watchers.
  void tell_presence(std::size_t watcher_count);

 private:
  /// A member, with all that a fan-out must know of it.
  struct Place {
    Subscriber* subscriber;    // null: it left during a fan-out
    std::uint64_t live_after;  // accepted_ when it became live; until then more than that will ever be
    Membership* member;
  };
  friend class Hub;
  friend class Membership;
  friend class Presence;
  friend class Retention;
  void on_held_up(Membership& member);
  void on_let_go(Membership& member);
  [[nodiscard]] bool has_delayed() const { return delayed_ && !delayed_->empty(); }
  /// How many of the messages that wait for a fan-out are one page.
  [[nodiscard]] std::size_t next_page_size() const;
  /// Whether what waits for a fan-out is more than a page, or a message that is a good part of one.
  [[nodiscard]] bool is_much_to_come() const;
  void take_page();
  void join(Membership& member, const Interest& interest);
  void leave(Membership& member);
  void on_deadline() override;
  void on_presence_due();
  void drop_idle_presence();
  void look_ahead() const;
  void look_ahead_to_first() const;
  /// Null if there is nobody at `index` any more, or it is past the end of the fan-out.
  [[nodiscard]] const Subscriber* subscriber_of_fan_out(std::size_t index) const {
    return index < end_member_ ? members_[index].subscriber : nullptr;
  }
  void fetch_subscriber(std::size_t index) const;
  void fetch_what_it_needs(std::size_t index) const;
  void begin_fan_out();
  std::size_t end_fan_out();
  void close_holes();
  void release_messages();
  [[nodiscard]] Joined plan(const Interest& interest, std::uint64_t first_offset) const;
  [[nodiscard]] Position before_last(std::size_t messages) const;
  [[nodiscard]] std::size_t accepted_after(std::uint64_t offset) const;
  [[nodiscard]] std::vector<Message> page_from(std::size_t begin, std::size_t messages_max) const;
  [[nodiscard]] bool is_in_page(std::uint64_t offset) const;
  bool turn_page_to(std::uint64_t offset);
  /// How many messages from the front are one page.
  template <class At>
  [[nodiscard]] std::size_t page_size(std::size_t messages_max, const At& at) const {
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (; count < messages_max; ++count) {
      bytes += at(count).payload.size();
      if (count != 0 && bytes > page_bytes()) break;
    }
    return count;
  }
  [[nodiscard]] std::size_t page_bytes() const;

  Hub& hub_;
  std::string name_;
  RoomSettings settings_;
  std::vector<Place> members_;
  std::vector<std::uint32_t> holes_;  // among them: who left during a fan-out
  std::size_t arriving_ = 0;          // members that have not been told yet that they joined

  /// Where the log moved on to, and what has come since then.
  struct Reset {
    LogState log;
    std::vector<Message> accepted{};
  };
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

  Position top_;
  std::uint64_t floor_ = LogState::no_past;
  std::uint64_t fanned_out_offset_ = 0;  // of the last message that a fan-out has taken
  std::unique_ptr<Reset> reset_;         // until what came before it has been handed out
  bool is_lost_ = false;
  History history_;
  std::vector<Message> accepted_messages_;
  std::uint64_t accepted_ = 0;  // how many messages were ever accepted
  std::size_t backlog_bytes_ = 0;

  std::uint32_t waited_for_ = 0;  // members that hold the room up since this round of waits
  std::uint8_t wait_round_ = 1;   // 1 to 255

  bool fanning_out_ = false;
  bool delivering_ = false;  // a subscriber's deliver is on the stack
  Batch batch_;
  std::uint64_t batch_begin_ = 0;  // number of messages accepted before the batch
  std::size_t next_member_ = 0;
  std::size_t end_member_ = 0;

  std::unique_ptr<Batch> page_;         // of the past, while members catch up
  std::unique_ptr<PastReading> past_;   // while the engine is asked for some
  std::unique_ptr<Presence> presence_;  // while somebody has a name or watches

  // The hub's notes.
  bool telling_ = false;            // it is to tell news of presence
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

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/linked_list.h"
#include "base/scheduler.h"
#include "hub/author.h"
#include "hub/member.h"
#include "hub/membership_observer.h"
#include "hub/node_members.h"
#include "hub/presence_place.h"
#include "hub/presence_update.h"
#include "hub/present_members.h"
#include "hub/remote_members.h"

namespace roomcast::hub {

class Engine;

/// The queue of rooms whose presence has updates to announce.
struct PresenceQueue;

/// Who is in one room, and what its watchers still have to be sent. Exists only while a member has a name or
/// watches: a room of nameless clients pays nothing.
///
/// A member is an identified client, whatever name each of its connections shows, or the name of anonymous
/// ones, compared byte by byte (see ByMember); each has the number of its connections. It joins with its
/// first connection and leaves once it has had none for PresenceLimits::grace_ms; one that returns earlier
/// was never gone. The name of its newest connection counts, or of one that has changed it since: a new name
/// is announced like a join. Connections without a name are only counted.
///
/// A watcher begins with a snapshot and then gets every later change, in order. In a crowd, with more than
/// PresenceLimits::crowd members, it gets their number instead, at most once a second; whether the crowd is
/// over is checked just as often, so a room at the limit does not flap. Then a list replaces the changes that
/// were not announced.
///
/// Where servers share their rooms a member is there while any of them lists it, and each lists those that
/// have a connection to it or are in their grace time. So one that moves from one server to another within
/// that time neither leaves nor joins. Of a server with more members than the crowd only their number is
/// known; the sum counts one that is on two of those twice.
///
/// Memory: a member has a connection now or had one within the grace time. Connections are bounded, cost more
/// than name and principal (at most 210 bytes) and the place of one that has gone, and are refused when
/// memory is short, so members need no bound of their own. Changes that wait are bounded alike, and are
/// dropped when the room has no watchers.
class Presence final : public base::Linked<PresenceQueue>, private base::Deadline::Listener {
 public:
  class Owner {
   public:
    /// Presence::on_due is to be called. `presence` may be destroyed from here.
    virtual void on_presence_due(Presence& presence) = 0;
    /// The same of Presence::on_remote_due.
    virtual void on_remote_presence_due(Presence& presence) = 0;

   protected:
    ~Owner() = default;
  };

  /// `is_shared`: other servers have members of the room, too.
  Presence(ObservedRoom& room, Owner& owner, base::Deadlines& deadlines, const base::Clock& clock,
           bool is_shared);
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  [[nodiscard]] ObservedRoom& room() const { return room_; }
  /// Counts a member that has just joined the room.
  void enter(Member& member);
  /// A member of the room that is identified shows another name from here on. `author` has its principal.
  void rename(Member& member, const Author& author);
  /// A member has just left the room. It may return within the grace time.
  void leave(Member& member);
  /// If `member` wants to, it watches from here on: what snapshot() returns now, and each change after it.
  void begin_watching(Member& member);

  [[nodiscard]] PresenceSnapshot snapshot(Hidden hidden = Hidden::counted) const;
  /// How many members snapshot(Hidden::listed) lists.
  [[nodiscard]] std::size_t listed() const { return lists(Hidden::listed) ? named_.size() : 0; }
  /// Whether a connection has a name or watches, a member is in its grace time, or an update is being
  /// announced.
  [[nodiscard]] bool is_needed() const {
    return is_expecting() || update_ || (remote_ && (room_.members() != 0 || !remote_->empty()));
  }
  /// Whether a connection here has a name or watches, a member that was here is in its grace time, or other
  /// servers have to be told that somebody has gone: the room is to be kept for that.
  [[nodiscard]] bool is_expecting() const {
    return placed_ != 0 || !gone_.empty() || (remote_ && remote_->has_own_change());
  }

  /// Whether there is something to announce.
  [[nodiscard]] bool has_updates() const { return update_ || !changes_.empty(); }
  /// Sends the first of it to at most `count` further watchers.
  void announce(std::size_t count);

  /// The limits have changed.
  void on_settings();
  /// Time has passed: removes members whose grace time is over and counts a crowd.
  void on_due();

  // --- Shared rooms ---

  /// Another server has said something about its members.
  void take_remote(std::uint64_t node, const NodeChange& change) { remote_->take(node, change); }
  /// Time has passed. Returns what the other servers are to be told, if that is due.
  [[nodiscard]] std::optional<NodeMembers> on_remote_due();

  // For RemoteMembers.
  void list_remote(const Author& author);
  void unlist_remote(const Author& author);
  void look_at_numbers();
  void on_remote_deadline() { owner_.on_remote_presence_due(*this); }
  [[nodiscard]] std::int64_t grace_ms() const { return limits().grace_ms; }

 private:
  /// A member in its grace time.
  struct Gone {
    Author author;
    std::int64_t since_ms;
  };
  struct Change {
    std::uint64_t number = 0;  // 1, 2, 3 …
    PresenceChange what;
  };

  void on_deadline() override { owner_.on_presence_due(*this); }
  void note_own_change();
  [[nodiscard]] NodeMembers own_members() const;
  void add_connection(const Author& author);
  void show_name(PresentMember& member, bool is_new, const Author& author);
  void remove_connection(const Author& author);
  void stop_watching(const Watcher& watcher);
  void note(PresenceChange change);
  void check_for_crowd();
  void count_crowd(std::int64_t now_ms);
  void begin_update();
  void end_update();
  void close_holes();
  void set_due();
  [[nodiscard]] const PresenceLimits& limits() const { return room_.settings().presence; }
  [[nodiscard]] std::size_t anonymous() const { return room_.members() - named_connections_; }
  [[nodiscard]] std::size_t all_anonymous() const {
    return remote_ ? anonymous() + remote_->nameless() : anonymous();
  }
  [[nodiscard]] std::size_t unlisted() const { return remote_ ? remote_->unlisted() : 0; }
  [[nodiscard]] std::size_t count() const { return named_.size() + all_anonymous() + unlisted(); }
  [[nodiscard]] bool is_crowded() const { return count() > limits().announced_max() || unlisted() != 0; }
  [[nodiscard]] bool lists(Hidden hidden) const;

  ObservedRoom& room_;
  Owner& owner_;
  const base::Clock& clock_;
  PresentMembers named_;
  std::list<Gone> gone_;  // of named_, the longest gone first
  std::map<Author, std::list<Gone>::iterator, ByMember> gone_places_;
  std::size_t placed_ = 0;  // members that have a name or watch
  std::size_t named_connections_ = 0;

  bool is_crowd_ = false;
  std::optional<std::size_t> announced_count_;  // of the crowd: what all watchers know
  std::int64_t next_count_ms_ = 0;              // no number is announced before

  std::vector<Member*> watchers_;  // null: left while an update was being announced
  std::uint32_t holes_ = 0;
  std::uint32_t next_watcher_ = 0;
  std::deque<Change> changes_;  // after update_
  std::uint64_t last_change_ = 0;
  std::optional<PresenceUpdate> update_;  // being announced
  std::uint64_t update_number_ = 0;
  std::unique_ptr<RemoteMembers> remote_;  // of a shared room

  base::Deadline due_;
};

/// The presence of all rooms: follows joins and leaves, and announces updates in slices, the rooms by turns.
class PresenceTracker final : public MembershipObserver, private Presence::Owner {
 public:
  class Owner {
   public:
    /// The room may not be needed for its presence any more. It may be destroyed from here.
    virtual void on_presence_changed(ObservedRoom& room) = 0;

   protected:
    ~Owner() = default;
  };

  PresenceTracker(Owner& owner, Engine& engine, base::Scheduler& scheduler, base::Deadlines& deadlines,
                  const base::Clock& clock)
      : owner_(owner), engine_(engine), scheduler_(scheduler), deadlines_(deadlines), clock_(clock) {}
  PresenceTracker(const PresenceTracker&) = delete;
  PresenceTracker& operator=(const PresenceTracker&) = delete;

  void on_member_joined(ObservedRoom& room, Member& member) override;
  void on_member_acknowledged(ObservedRoom& room, Member& member) override;
  void on_member_left(ObservedRoom& room, Member& member) override;
  /// See Presence::rename.
  void on_member_renamed(ObservedRoom& room, Member& member, const Author& author);
  /// The room's limits have changed.
  void on_settings(ObservedRoom& room);
  /// Another server has said something about its members of the room.
  void on_remote(ObservedRoom& room, std::uint64_t node, const NodeChange& change);

  [[nodiscard]] static PresenceSnapshot snapshot(const ObservedRoom& room, Hidden hidden);
  /// How many members that lists with Hidden::listed.
  [[nodiscard]] static std::size_t listed(const ObservedRoom& room);
  /// Whether there is an update to announce in any room.
  [[nodiscard]] bool has_updates() const { return !queue_.empty(); }
  /// Sends the next room's update to at most `count` watchers. There is one.
  void announce_next(std::size_t count);

 private:
  void on_presence_due(Presence& presence) override;
  void on_remote_presence_due(Presence& presence) override;
  Presence& make(ObservedRoom& room);
  [[nodiscard]] Presence::Owner& presence_owner() { return *this; }
  /// Drops the room's presence if it is not needed any more, else has what it has to announce announced.
  void update(ObservedRoom& room);

  Owner& owner_;
  Engine& engine_;
  base::Scheduler& scheduler_;
  base::Deadlines& deadlines_;
  const base::Clock& clock_;
  base::LinkedList<Presence, PresenceQueue> queue_;
};

}  // namespace roomcast::hub

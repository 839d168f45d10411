#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/deadlines.h"
#include "hub/member.h"
#include "hub/presence_update.h"
#include "hub/room_settings.h"

namespace roomcast::hub {

class Room;

/// What a membership has to do with presence; none for those who have no name and do not watch.
struct PresenceEntry {
  base::Bytes name;
  bool watches = false;
  std::uint64_t after = 0;               ///< it knows of the changes up to this one
  std::optional<std::uint32_t> place{};  ///< among the watchers, once it watches
};

/// Who is in one room, and what those who watch are told of it. There is one only where somebody has a name
/// or watches: a room of nameless clients pays nothing.
///
/// Members are names, compared byte by byte, each with the number of its connections. A name joins with its
/// first connection and leaves once it has had none for PresenceLimits::grace_ms; who is back earlier was
/// never gone. Connections without a name are only counted.
///
/// A watcher begins with a snapshot and is then told every later change, in order. In a crowd, with more than
/// PresenceLimits::crowd here, it is told their number instead, at most once a second; whether the crowd is
/// over is looked at just as often, so a room at the limit does not flap. Then a list takes the place of what
/// was not told.
///
/// Memory: a name has a connection now or had one within the grace time. Connections are bounded, cost more
/// than their name (at most 100 bytes) and are refused when memory is short, so names need no bound of
/// their own. Changes that wait are bounded alike, and are dropped when there is nobody to tell.
class Presence final : private base::Deadline::Listener {
 public:
  Presence(Room& room, base::Deadlines& deadlines, const base::Clock& clock)
      : room_(room), clock_(clock), due_(deadlines, *this) {}
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  /// `member` has just joined the room: counts it.
  void enter(Member& member, const Interest& interest);
  /// `member` has just left the room. It may return within the grace time.
  void leave(Member& member);
  /// If `member` wants to, it watches from here on: what snapshot says now, and each change after it.
  void begin_watching(Member& member);

  [[nodiscard]] PresenceSnapshot snapshot() const;
  /// How many names snapshot() lists.
  [[nodiscard]] std::size_t listed() const { return crowded_ ? 0 : members_.size(); }
  /// Whether anybody has a name, is in the grace time, watches, or is just being told something.
  [[nodiscard]] bool is_needed() const { return presence_entries_ != 0 || !members_.empty() || news_; }

  /// Whether there is something to tell.
  [[nodiscard]] bool has_news() const { return news_ || !changes_.empty(); }
  /// Tells the first change to at most `count` further watchers.
  void tell(std::size_t count);

  /// The limits have changed.
  void on_settings();
  /// Time has passed: says who is gone for good, and how large the crowd is.
  void on_due();

 private:
  struct ByBytes {
    bool operator()(const base::Bytes& a, const base::Bytes& b) const { return a.view() < b.view(); }
  };
  /// A name that is here or in its grace time.
  struct Name {
    std::size_t connections = 0;
    // Only without connections: when the last went, and the place among the gone.
    std::int64_t gone_ms = 0;
    std::list<const base::Bytes*>::iterator place{};
  };
  struct Change {
    std::uint64_t number = 0;  // 1, 2, 3 …
    PresenceChange what;
  };

  void on_deadline() override;
  void arrive(const base::Bytes& name);
  void depart(const base::Bytes& name);
  void stop_watching(const PresenceEntry& presence_entry);
  void note(PresenceChange change);
  void look_for_crowd();
  void look_at_crowd(std::int64_t now_ms);
  void begin_telling();
  void end_telling();
  void close_holes();
  void set_due();
  [[nodiscard]] const PresenceLimits& limits() const;
  [[nodiscard]] std::size_t anonymous() const;
  [[nodiscard]] std::size_t count() const { return members_.size() + anonymous(); }

  Room& room_;
  const base::Clock& clock_;
  std::map<base::Bytes, Name, ByBytes> members_;
  std::list<const base::Bytes*> gone_;  // names in their grace time, the longest gone first
  std::size_t presence_entries_ = 0;
  std::size_t named_connections_ = 0;

  bool crowded_ = false;
  std::optional<std::size_t> told_count_;  // of the crowd: what all watchers know
  std::int64_t next_count_ms_ = 0;         // no number is told before

  std::vector<Member*> watchers_;  // null: left while a change was being told
  std::size_t holes_ = 0;
  std::deque<Change> changes_;  // not begun to be told
  std::uint64_t last_change_ = 0;
  std::optional<PresenceUpdate> news_;  // being told
  std::uint64_t news_number_ = 0;
  std::size_t next_watcher_ = 0;

  base::Deadline due_;
};

}  // namespace roomcast::hub

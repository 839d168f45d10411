#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/linked_list.h"
#include "hub/history.h"
#include "hub/message.h"
#include "hub/room_settings.h"

namespace roomcast::hub {

/// Decides which rooms and messages are retained, and which are evicted first. A message is dropped at its
/// room's limits; a room when it has been unused, with nothing retained, for its history's age. When all of
/// it together takes too much the emptiest rooms go first, then messages, beginning with the oldest of the
/// room that has been unused longest. A room in use is never evicted.
///
/// No source pushes out what others keep: a source with more than a quarter of all that is retained loses its
/// own messages first, in the rooms whose oldest message is its own. Unknown sources have no share: theirs go
/// in the order above.
class Retention {
 public:
  /// What a room says about its use.
  class Subject {
   public:
    enum class Use : std::uint8_t {
      none,
      expected,  ///< a name that left may return: the room is kept for that, unless memory is short
      in_use,
    };
    [[nodiscard]] virtual Use use() const = 0;

   protected:
    ~Subject() = default;
  };

  struct InOrderOfUse;
  struct InOrderOfSource;

  /// What Retention keeps about a room; the room holds it.
  class Entry final : public base::Linked<InOrderOfUse>,
                      public base::Linked<InOrderOfSource>,
                      private base::Deadline::Listener {
   public:
    /// All of these are the room's and outlive the entry; `name` does not change.
    Entry(Retention& retention, base::Deadlines& deadlines, const Subject& subject_, std::string_view name_,
          History& history_, const HistoryLimits& limits_)
        : name(name_),
          history(history_),
          limits(limits_),
          due(deadlines, *this),
          retention_(retention),
          subject_of_(subject_) {}

    [[nodiscard]] Subject::Use use() const { return subject_of_.use(); }

    enum class List : std::uint8_t { none, unused, with_messages };

    std::string_view name;
    History& history;
    const HistoryLimits& limits;
    base::Deadline due;           ///< for trim
    std::int64_t touched_ms = 0;  ///< the last publish, join or leave
    Source source = 0;            ///< of the oldest message; 0: unknown, or there is none
    List list = List::none;

   private:
    void on_deadline() override { retention_.trim(*this); }

    Retention& retention_;
    const Subject& subject_of_;
  };

  class Owner {
   public:
    /// Nothing of the room is retained: its owner destroys it. Never a room in use.
    virtual void on_evicted(std::string_view room) = 0;

   protected:
    ~Owner() = default;
  };

  /// `room_bytes`: what a room's object takes.
  Retention(const base::Clock& clock, Owner& owner, std::size_t room_bytes)
      : clock_(clock), owner_(owner), room_object_bytes_(room_bytes) {}
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;
  ~Retention() = default;

  void add(Entry& room);
  /// Keeps a message that the room has just accepted.
  void keep(Entry& room, const Message& message);
  /// A member has joined or left.
  void touch(Entry& room);
  /// The room's use may have ended.
  void on_use_changed(Entry& room);
  /// Applies it to what the room retains.
  void amend(Entry& room, const Amendment& amendment);
  /// Drops all messages of the room.
  void clear_history(Entry& room);
  /// Drops what is too old or past the room's limits, and evicts the room itself if its time is over.
  void trim(Entry& room);

  /// Evicts until all together is at most `limit_bytes`, or only rooms that have members are left; no more
  /// than some messages and rooms in one call, which is as many as a publish adds and a few more.
  void keep_within(std::size_t limit_bytes);
  /// The same and what shed_half asked for, a slice's worth. True if there is more to evict.
  bool evict_some(std::size_t limit_bytes);
  /// Evicts half of what can be evicted, now or with the next calls of evict_some. Returns about how much
  /// that is.
  std::size_t shed_half();

  /// What it costs to remember a room of that name at all.
  [[nodiscard]] std::size_t room_cost(std::string_view name) const;
  /// All histories, and what it costs to remember rooms at all.
  [[nodiscard]] std::size_t bytes() const { return kept_bytes_.total(); }
  /// The same by source: for histories to keep their part up to date.
  [[nodiscard]] KeptBytes& kept_bytes() { return kept_bytes_; }

 private:
  void put_in_list(Entry& room);
  void put_with_source(Entry& room);
  /// The bytes of a known source's messages, and of the rooms whose oldest message is its own.
  [[nodiscard]] std::size_t weight_of(Source source) const {
    return source == 0 ? 0 : kept_bytes_.of(source);
  }
  [[nodiscard]] std::size_t history_bytes() const { return kept_bytes_.total() - room_bytes_; }
  void set_due(Entry& room);
  void drop_oldest_message();
  void evict(Entry& room);
  /// False if there is nothing more to evict.
  bool evict_next();

  const base::Clock& clock_;
  Owner& owner_;
  std::size_t room_object_bytes_;
  // Each in the order of last use, the longest unused first.
  base::LinkedList<Entry, InOrderOfUse> unused_rooms_;  // and without messages: they can be evicted
  base::LinkedList<Entry, InOrderOfUse> rooms_with_messages_;
  std::unordered_map<Source, base::LinkedList<Entry, InOrderOfSource>>
      by_source_;                 // rooms with messages, by the source of the oldest
  std::size_t unused_count_ = 0;  // in unused_rooms_
  Source heaviest_ = 0;           // of the sources that published lately
  KeptBytes kept_bytes_;          // rooms without a source count for source 0
  std::size_t room_bytes_ = 0;    // of kept_bytes_, what rooms take beside their histories
  std::size_t shed_rooms_ = 0;    // so many are still to be evicted
  std::size_t shed_bytes_ = std::numeric_limits<std::size_t>::max();  // and histories cut down to this
};

}  // namespace roomcast::hub

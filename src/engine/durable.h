#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/linked_list.h"
#include "base/log.h"
#include "base/name_map.h"
#include "base/scheduler.h"
#include "engine/durable_room.h"
#include "engine/key_table.h"
#include "engine/memory.h"
#include "hub/engine.h"
#include "hub/room_settings.h"
#include "store/room_store.h"

namespace roomcast::engine {

struct DurableStats {
  std::uint64_t left_out = 0;  ///< messages of async rooms that were delivered and could not be kept
  std::uint64_t timeouts = 0;  ///< publishes and amendments that were answered with store_timeout
  std::uint64_t refused_busy = 0;
  std::uint64_t refused_full = 0;
  std::uint64_t refused_failed = 0;
  std::uint64_t repeated = 0;       ///< publishes whose key belonged to an earlier message
  std::uint64_t crash_holes = 0;    ///< rooms that were found with offsets that may have been given and lost
  std::uint64_t rooms_refused = 0;  ///< rooms that could not be loaded
};

/// The engine of one server with a disk: a room's order is the order of publish calls, and what it keeps is
/// there after a restart, with the same epoch. Rooms whose durability is `none` are those of a memory engine.
///
/// - sync: a message has its position at once, and comes back when its batch is on the disk.
/// - async: it comes back at once, as soon as offsets are reserved (DurableLog). While the disk does not take
///   what is published it comes back all the same and is left out: a hole. A room that has no offsets
///   reserved at that time goes aside: it goes on in a log of the memory engine, with an epoch of its own,
///   and comes back to its log on the disk once offsets are reserved there. Its members are told of a gap
///   both times.
///
/// What waits for the disk is in the order of all rooms in order_, by which it is finished when its batch is
/// committed, and answered when it takes too long, and in the queue of its room (DurableRoom::pending). It is
/// bounded by what the store takes; no room has more than about half of that.
///
/// What concerns many rooms, keys or messages is done in slices at the end of turns (run_at_turn_end). Not
/// sliced are `close`, which goes through all rooms with a reserve, and an amendment, which looks through
/// what waits in its room while other amendments wait there.
class Durable final : public hub::Engine,
                      private store::RoomStore::Listener,
                      private base::TurnTask,
                      private base::Deadline::Listener {
 public:
  /// All of these outlive it.
  struct Parts {
    store::RoomStore& store;
    const base::Clock& clock;
    base::Deadlines& deadlines;
    base::Scheduler& scheduler;
    base::Log& log;
  };
  struct Limits {
    std::int64_t ack_timeout_ms = 5'000;  ///< store.ack_timeout_seconds
  };

  /// `rules`: with the limits of what is kept on the disk; only the durability is used here.
  Durable(const Parts& parts, hub::RoomRules rules, const Limits& limits);
  Durable(const Durable&) = delete;
  Durable& operator=(const Durable&) = delete;
  ~Durable();

  /// sync and async change at once. To and from none the room's log begins anew, when what is on its way to
  /// the disk is there: on_resumed with another epoch.
  void set_rules(hub::RoomRules rules);
  void set_limits(const Limits& limits) { limits_ = limits; }
  /// Takes back what is reserved, so that the next start finds no holes: before the store is closed. Nothing
  /// is published after it.
  void close();

  [[nodiscard]] const DurableStats& stats() const { return stats_; }
  /// Rooms that are known here, those of the memory engine included.
  [[nodiscard]] std::size_t rooms() const { return all_.size(); }
  /// What waits for the disk: messages and amendments, pages, and rooms to be loaded.
  [[nodiscard]] std::size_t waiting() const { return order_.size() + readings_.size() + loading_; }

  void start(hub::EngineEvents& events) override;
  void subscribe(std::string_view name, hub::Source source = 0) override;
  void unsubscribe(std::string_view name) override;
  void publish(std::string_view name, hub::Draft&& draft, hub::Ticket ticket) override;
  void remove(std::string_view name, const hub::Position& position, hub::Ticket ticket) override;
  void replace(std::string_view name, const hub::Position& position, hub::Draft&& draft,
               hub::Ticket ticket) override;
  void clear(std::string_view name, hub::Ticket ticket) override;
  [[nodiscard]] bool may_refuse_publishes() const override { return true; }
  [[nodiscard]] bool keeps_rooms() const override { return true; }
  void read(std::string_view name, const hub::Position& after, std::size_t messages_max,
            std::size_t bytes_max, hub::Ticket ticket) override;
  void read_back(std::string_view name, const hub::Position& before, std::size_t messages,
                 std::size_t messages_max, std::size_t bytes_max, hub::Ticket ticket) override;

  /// Publishes that wait for a room to be loaded take at most so many bytes.
  static constexpr std::size_t loading_bytes_max = 65'536;
  /// A room without a publish for so long gives back what it has reserved.
  static constexpr std::int64_t quiet_ms = 10'000;
  /// For so long a key is known here that the hub may not know any more.
  static constexpr std::int64_t keep_key_ms = 300'000;
  /// The keys of all rooms together: a new one that does not fit is refused, and loading a room brings only
  /// those that fit.
  static constexpr std::size_t key_bytes_max = std::size_t{32} << 20U;
  /// What may wait for the disk, in all rooms.
  static constexpr std::size_t waiting_max = 262'144;
  /// Messages to be removed or replaced that are looked for at a time.
  static constexpr std::size_t checks_max = 64;

 private:
  using Room = DurableRoom;
  using Batch = store::RoomStore::BatchNumber;

  using Order = std::list<Room::Pending>;
  /// An answer to RoomStore::load that waits for its slice.
  struct Loaded {
    Room* room = nullptr;
    base::Result<store::RoomExtent, hub::Refusal> extent;
  };
  /// A message whose record has been appended to a batch.
  struct Recorded {
    hub::Message message;
    hub::DraftKey key;
    std::size_t bytes = 0;
    hub::Ticket ticket = 0;
  };
  /// A read that the store has been asked for.
  struct Reading {
    Room* room = nullptr;
    Room::Read read;
    // What has been amended since: the store may have read what was there before.
    std::vector<hub::Amendment> amended{};
  };

  // Rooms (durable.cpp).
  [[nodiscard]] Room* find(std::string_view name);
  Room& make_room(std::string_view name);
  void load(Room& room, hub::Source source = 0);
  void apply_rule(Room& room);
  void switch_level(Room& room);
  void apply_rules_to_some();
  void retire(Room& room);
  void erase_if_idle(Room& room);
  bool take_reserve_back(Room& room);
  void await_last_batch(Room& room);
  void on_loaded(std::string_view name, base::Result<store::RoomExtent, hub::Refusal>&& extent) override;
  void finish_load(Room& room, base::Result<store::RoomExtent, hub::Refusal>&& extent);
  bool finish_some_loads();
  void load_some_again(std::size_t most);
  void open_room(Room& room, const store::RoomExtent& extent);
  void refuse_room(Room& room, const hub::Refusal& refusal);

  // Publishes (durable_publish.cpp).
  void wait_for_room(Room& room, Room::Early&& early, std::size_t bytes);
  [[nodiscard]] std::vector<Room::Early> take_early(Room& room);
  void publish_sync(Room& room, hub::Draft&& draft, hub::Ticket ticket);
  void publish_async(Room& room, hub::Draft&& draft, hub::Ticket ticket);
  void publish_now(Room& room, hub::Draft&& draft, hub::Ticket ticket);
  void wait_for_batch(Room& room, Batch batch, Recorded&& recorded);
  void leave_out(Room& room, hub::Draft&& draft, hub::Ticket ticket);
  [[nodiscard]] bool is_disk_away(const Room& room) const;
  void publish_aside(Room& room, hub::Draft&& draft, hub::Ticket ticket);
  [[nodiscard]] std::optional<hub::Refusal> why_not_kept(const Room& room, std::size_t bytes) const;
  [[nodiscard]] hub::Message next_message(Room& room, hub::Draft& draft);
  /// Whether the room needs a number in the store for its first record, and there is none left.
  [[nodiscard]] bool lacks_number(const Room& room) const {
    return room.log.id() == 0 && !parts_.store.has_room_ids();
  }
  std::string& begin_records(Room& room);
  void log_left_out(const Room& room);
  Room::Pending& add_pending(Room& room, Room::Pending::What what, Batch batch, hub::Ticket ticket);
  void announce(Room& room, hub::Message&& message);
  void answer(hub::Ticket ticket, const hub::PublishOutcome& outcome);
  void refuse(hub::Ticket ticket, const hub::Refusal& refusal);

  // Keys (durable_keys.cpp).
  [[nodiscard]] bool answer_repeat(Room& room, const hub::Draft& draft, hub::Ticket ticket);
  void load_keys(Room& room, const std::vector<store::KnownKey>& keys);
  void remember_key(Room& room, const hub::DraftKey& key, std::uint64_t offset, Batch batch);
  void key_is_published(Room& room, const Room::Pending& pending);
  void drop_keys(Room& room);

  // What comes of it (durable_commit.cpp).
  void on_committed(Batch batch) override;
  void on_state(store::State state) override;
  bool settle_some();
  /// Finishes what the room has waited for, at most `most`. Returns how many that were.
  std::size_t settle(Room& room, std::size_t most);
  void release(Order::iterator place);
  void on_settled(Room& room);
  void finish(Room& room, Room::Pending&& pending);
  void finish_publish(Room& room, Room::Pending&& pending);
  bool answer_overdue(std::int64_t now_ms);
  void answer_overdue_early(std::int64_t now_ms);
  void look_at_quiet_rooms(std::int64_t now_ms);
  bool reserve_for_some_aside();
  void come_back(Room& room);
  void leave_aside(Room& room);
  void run_at_turn_end() override;
  void on_deadline() override;
  void watch_time();

  // Amendments and reads (durable_amend.cpp).
  void amend(std::string_view name, hub::Amendment&& amendment, hub::Ticket ticket);
  void amend_now(Room& room, hub::Amendment&& amendment, hub::Ticket ticket);
  void clear_now(Room& room, hub::Ticket ticket);
  void check(Room& room, hub::Amendment&& amendment, hub::Ticket ticket);
  void on_checked(Reading&& reading, base::Result<store::RecordPage, hub::Refusal>&& page);
  [[nodiscard]] bool is_taken_away(const Room& room, std::uint64_t offset) const;
  void record_amendment(Room& room, hub::Amendment&& amendment, hub::Ticket ticket);
  void finish_amendment(Room& room, Room::Pending&& pending);
  void read(std::string_view name, std::uint64_t epoch, Room::Read&& read);
  void ask_store(Room& room, Room::Read&& read);
  void on_read(std::uint64_t ticket, base::Result<store::RecordPage, hub::Refusal>&& page) override;
  void answer_read(Reading&& reading, store::RecordPage&& page);

  Parts parts_;
  hub::RoomRules rules_;
  Limits limits_;
  DurableStats stats_;
  hub::EngineEvents* events_ = nullptr;
  Memory memory_;

  base::NameMap<std::unique_ptr<Room>> rooms_;
  std::vector<Room*> all_;      // every room, in no order
  std::size_t rules_due_ = 0;   // the rooms before it in all_ have not been given the rules yet
  Room* last_used_ = nullptr;   // in rooms_
  std::size_t loading_ = 0;     // rooms
  std::deque<Loaded> loaded_;   // counted in loading_
  std::size_t load_work_left_;  // for this turn
  // Rooms that are open to the hub and could not be loaded: tried again.
  base::LinkedList<Room, Room::ToLoad> to_load_;

  Batch committed_ = 0;
  Order order_;
  Order spare_;  // memory for what waits next
  Order::iterator not_late_ =
      order_.end();  // the first that has not been waiting for too long, as far as known
  std::unordered_map<std::uint64_t, Reading> readings_;  // by the ticket of the store
  std::uint64_t last_read_ = 0;
  std::size_t checks_ = 0;  // amendments whose message is looked for

  base::LinkedList<Room, Room::InOrderOfPublish> reserved_;  // rooms with a reserve
  base::LinkedList<Room, Room::WithEarly> with_early_;       // rooms that publishes wait for
  base::LinkedList<Room, Room::Aside> aside_;  // rooms that are, and have nothing on its way to the disk
  KeyTable keys_{key_bytes_max};
  std::int64_t left_out_logged_ms_ = 0;
  std::uint64_t left_out_logged_ = 0;  // of DurableStats::left_out
  bool looks_often_ = false;           // due_ is set for answer_overdue
  base::Deadline due_;
};

}  // namespace roomcast::engine

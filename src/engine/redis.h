#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/linked_list.h"
#include "base/log.h"
#include "base/name_map.h"
#include "base/scheduler.h"
#include "engine/redis_batch.h"
#include "engine/redis_port.h"
#include "engine/redis_presence.h"
#include "engine/redis_room.h"
#include "hub/engine.h"
#include "hub/room_settings.h"

namespace roomcast::engine {

struct RedisStats {
  std::uint64_t published = 0;        ///< messages that have got their places
  std::uint64_t batches = 0;          ///< in so many calls
  std::uint64_t pushes = 0;           ///< batches that came as pushes and were passed on
  std::uint64_t repeated_pushes = 0;  ///< that were known already
  std::uint64_t dropped_pushes = 0;   ///< past RedisRoom::pushed_bytes_max
  std::uint64_t holes = 0;            ///< pushes that did not follow the one before
  std::uint64_t overdue_own = 0;      ///< own messages that did not come as pushes in time
  std::uint64_t syncs = 0;
  std::uint64_t repaired_messages = 0;  ///< that came by a sync
  std::uint64_t forks = 0;              ///< rooms whose log was found to go on in another epoch
  std::uint64_t restored_messages = 0;  ///< that this server has put back into logs that had lost them
  std::uint64_t lost_messages = 0;      ///< that had been passed on, and are not in the log any more
  std::uint64_t unreadable = 0;         ///< batches that are not ours, or damaged
  std::uint64_t refused_unavailable = 0;
  std::uint64_t refused_full = 0;
  std::uint64_t timed_out = 0;
};

/// The engine of servers that share their rooms over Redis. A script gives a message its place, appends it to
/// the room's stream and distributes it (redis_scripts.h); it comes back to this server like to all others,
/// as a push. Offsets are dense, so a push that is missing is noticed by the next one, and what was missed is
/// read from the stream (a sync).
///
/// A room has one call to publish under way at most. What is published meanwhile is its next batch, so the
/// order is that of publish calls, whatever happens to a call.
///
/// While calls can't be made publishes wait, for Limits::publish_ms, and are refused then; one whose call may
/// have been made is sent again with its number, by which the script knows it.
class Redis final : public hub::Engine,
                    private RedisPort::Listener,
                    private base::TurnTask,
                    private base::Deadline::Listener {
 public:
  /// All of these outlive it.
  struct Parts {
    RedisPort& port;
    const base::Clock& clock;
    base::Deadlines& deadlines;
    base::Scheduler& scheduler;
    base::Log& log;
  };
  struct Limits {
    std::int64_t publish_ms = 5'000;                   ///< redis.publish_seconds
    std::int64_t linger_ms = 30'000;                   ///< redis.linger_seconds
    bool restores = true;                              ///< redis.recover_seconds is not 0
    std::size_t queue_bytes = std::size_t{16} << 20U;  ///< redis.queue_bytes
  };

  /// `node` is a random number of this process. `rules`: with the limits of what is kept.
  Redis(const Parts& parts, std::uint64_t node, hub::RoomRules rules, const Limits& limits);
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;
  ~Redis();

  void set_rules(hub::RoomRules rules) { rules_ = std::move(rules); }
  void set_limits(const Limits& limits) { limits_ = limits; }

  [[nodiscard]] const RedisStats& stats() const { return stats_; }
  /// Rooms that are known here.
  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }
  /// Whether all that was asked for is answered, and every room that is wanted stands where its log does, as
  /// far as that is known here. Looks at all rooms.
  [[nodiscard]] bool is_in_step() const;
  [[nodiscard]] const RedisPresence& presence() const { return presence_; }
  /// What publishes hold that are not answered.
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }

  void start(hub::EngineEvents& events) override;
  void subscribe(std::string_view name, hub::Source source) override;
  void unsubscribe(std::string_view name) override;
  void publish(std::string_view name, hub::Draft&& draft, hub::Ticket ticket) override;
  void remove(std::string_view name, const hub::Position& position, hub::Ticket ticket) override;
  void replace(std::string_view name, const hub::Position& position, hub::Draft&& draft,
               hub::Ticket ticket) override;
  void clear(std::string_view name, hub::Ticket ticket) override;
  [[nodiscard]] bool may_refuse_publishes() const override { return true; }
  [[nodiscard]] bool publishes_unsubscribed() const override { return true; }
  [[nodiscard]] bool keeps_rooms() const override { return true; }
  [[nodiscard]] bool may_lag() const override { return true; }
  void confirm(std::string_view name) override;
  void read(std::string_view name, const hub::Position& after, std::size_t messages_max,
            std::size_t bytes_max, hub::Ticket ticket) override;
  void read_back(std::string_view name, const hub::Position& before, std::size_t messages,
                 std::size_t messages_max, std::size_t bytes_max, hub::Ticket ticket) override;
  [[nodiscard]] bool shares_presence() const override { return true; }
  void announce(std::string_view name, hub::NodeMembers&& members) override {
    presence_.announce(name, std::move(members));
  }

  /// Syncs that are under way at a time.
  static constexpr std::size_t syncs_max = 256;
  /// A sync reads so much; who is further behind gets the rest in pages, as needed.
  static constexpr std::size_t sync_messages = 512;
  static constexpr std::size_t sync_bytes = 131'072;
  /// Own messages have to come as pushes within this time after their answer; then the room is synced.
  static constexpr std::int64_t own_push_ms = 1'000;
  /// Rooms that linger at a time.
  static constexpr std::size_t lingering_max = 10'000;

 private:
  using Room = RedisRoom;
  struct Reading {
    std::string room;
    hub::Position after;
    hub::Ticket ticket = 0;
    std::size_t messages_max = 0;
  };
  /// A room has something to answer that has been waiting since then, or has answered it.
  struct Noted {
    std::int64_t since_ms = 0;
    Room* room = nullptr;
  };
  struct Partition {
    bool has_calls = false;
    bool has_pushes = false;
    std::vector<Room*> rooms{};
    std::size_t to_subscribe = 0;  // of `rooms`, those before it
  };

  // Rooms (redis.cpp).
  [[nodiscard]] Room* find(std::string_view name);
  Room& find_or_make(std::string_view name);
  void erase_if_idle(Room& room);
  void stop_listening(Room& room);
  void on_calls(RedisPartition partition, bool are_possible) override;
  void on_pushes(RedisPartition partition, bool are_possible) override;
  [[nodiscard]] RedisLimits limits_of(std::string_view room) const;
  bool subscribe_some();
  void run_at_turn_end() override;
  void on_deadline() override;
  void watch_time();

  // What comes in (redis_incoming.cpp).
  void on_room_subscribed(std::string_view name) override;
  void on_push(std::string_view name, std::string_view bytes) override;
  void take_push(Room& room, const RedisPush& push);
  void buffer(Room& room, std::string_view bytes);
  void take_buffered(Room& room);
  void need_sync(Room& room);
  bool sync_some();
  void on_call_synced(RedisCallId call, base::Result<RedisLogState, RedisFault>&& outcome) override;
  void take_state(Room& room, const RedisLogState& state);
  void begin_at(Room& room, const RedisLogState& state);
  void move_to(Room& room, const RedisLogState& state);
  bool take_batches(Room& room, const RedisLogState& state);
  bool go_back(Room& room, const RedisLogState& state);
  bool pass_on(Room& room, std::uint64_t first, std::string_view batch, const RedisLogState* state);
  void cross_into(Room& room, const RedisLogState& state);
  void tell_state(Room& room);
  void look_at_own(std::int64_t now_ms);
  void keep_own(Room& room, const RedisPublished& published, std::size_t count);

  // What a log has lost with its server (redis_restore.cpp).
  bool wait_for_rest(Room& room, const RedisLogState& state);
  bool put_back(Room& room, const RedisLogState& state);
  void on_put_back(Room& room, const base::Result<RedisPublished, RedisFault>& outcome);
  void stay_in_doubt(Room& room, std::int64_t ms);
  void look_at_doubts(std::int64_t now_ms);

  void apply_amended(hub::Message& message, std::uint64_t offset, const RedisLogState& state) const;
  void on_call_presence(RedisCallId call, base::Result<RedisPresenceAnswer, RedisFault>&& outcome) override {
    presence_.on_answer(call, std::move(outcome));
  }
  void on_page(const Reading& reading, base::Result<RedisLogState, RedisFault>&& outcome);

  // What goes out (redis_outgoing.cpp).
  void enqueue(std::string_view name, Room::Outgoing&& outgoing);
  void amend(std::string_view name, hub::Amendment&& amendment, hub::Ticket ticket);
  bool send_some();
  void send(Room& room);
  void fill_batch(Room& room);
  void call(Room& room);
  void on_call_published(RedisCallId call, base::Result<RedisPublished, RedisFault>&& outcome) override;
  void finish_batch(Room& room, const RedisPublished& published);
  void fail_batch(Room& room, const RedisFault& fault);
  void retry(Room& room, std::int64_t wait_ms);
  void answer_all(Room& room, const hub::Refusal& refusal);
  void answer(hub::Ticket ticket, const hub::PublishOutcome& outcome);
  void answer_overdue(std::int64_t now_ms);

  Parts parts_;
  std::uint64_t node_;
  hub::RoomRules rules_;
  Limits limits_;
  RedisStats stats_;
  hub::EngineEvents* events_ = nullptr;
  RedisPresence presence_;

  base::NameMap<std::unique_ptr<Room>> rooms_;
  std::array<Partition, redis_partitions> partitions_;
  std::unordered_map<RedisCallId, Room*> publishes_;
  std::unordered_map<RedisCallId, Room*> syncs_;
  std::unordered_map<RedisCallId, Room*> restores_;
  std::unordered_map<RedisCallId, Reading> readings_;
  RedisCallId last_call_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::size_t queued_bytes_ = 0;
  std::size_t lingering_count_ = 0;
  std::deque<Noted> order_;  // those of one room are some time apart
  base::LinkedList<Room, Room::ToSync> to_sync_;
  base::LinkedList<Room, Room::ToSend> to_send_;
  base::LinkedList<Room, Room::Lingering> lingering_;
  base::LinkedList<Room, Room::WithOwn> with_own_;
  base::LinkedList<Room, Room::InDoubt> in_doubt_;
  RedisTails tails_;
  base::Deadline due_;
};

}  // namespace roomcast::engine

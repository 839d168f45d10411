#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/linked_list.h"
#include "base/name_map.h"
#include "base/scheduler.h"
#include "engine/redis_port.h"
#include "engine/redis_presence_codec.h"
#include "hub/engine.h"

namespace roomcast::engine {

struct RedisPresenceStats {
  std::uint64_t announced = 0;  ///< fields written
  std::uint64_t news = 0;       ///< that came from other servers
  std::uint64_t holes = 0;      ///< news that did not follow what was known
  std::uint64_t reads = 0;
  std::uint64_t unreadable = 0;  ///< fields and news that are not ours, or damaged
  std::uint64_t gone_nodes = 0;  ///< servers that were found to be gone
  std::size_t nodes = 0;         ///< other servers that are known
};

/// Rooms that have a field to write, or that are to be read.
struct RedisPresenceToWrite;
struct RedisPresenceToRead;

/// Who is in the rooms, over all servers. In Redis each room has a hash with a field for each server that has
/// members there; a server writes its own only. A change is distributed over the room's channel with the
/// version that it follows, so one that is missing is noticed by the next one, and the field is read.
///
/// A server is there while it has a lease in Redis, which it renews every `tick_ms`, or is heard of. What it
/// had in rooms is forgotten once it had neither for `absent_ms`; whoever finds that out removes its fields.
/// It writes them again should it come back. The time is that of whoever looks: no two clocks are compared.
/// While calls can't be made nobody is missed, and all stays as it was.
class RedisPresence final : private base::TurnTask, private base::Deadline::Listener {
 public:
  /// All of these outlive it.
  struct Parts {
    RedisPort& port;
    const base::Clock& clock;
    base::Deadlines& deadlines;
    base::Scheduler& scheduler;
  };

  static constexpr std::int64_t tick_ms = 2'000;
  static constexpr std::int64_t absent_ms = 6'000;
  static constexpr std::int64_t retry_ms = 250;
  /// Each field is written once more within this time, so that what is in use does not expire.
  static constexpr std::int64_t refresh_ms = 3'600'000;
  static constexpr std::size_t nodes_max = 1'000;
  static constexpr std::size_t calls_max = 256;  ///< under way
  static constexpr std::size_t rooms_per_slice = 256;

  /// `node` is the number of this server, as for Redis.
  RedisPresence(const Parts& parts, std::uint64_t node);
  RedisPresence(const RedisPresence&) = delete;
  RedisPresence& operator=(const RedisPresence&) = delete;
  ~RedisPresence();

  [[nodiscard]] RedisPresenceStats stats() const;
  /// Nothing is to be written, to be read or under way.
  [[nodiscard]] bool is_idle() const {
    return calls_.empty() && to_write_.empty() && to_read_.empty() && rewrites_ == 0 && sweep_ == 0;
  }

  void start(hub::EngineEvents& events);
  /// The hub has subscribed to the room. `has_pushes`: its news come already.
  void open(std::string_view name, bool has_pushes);
  /// It has left it.
  void close(std::string_view name);
  void announce(std::string_view name, hub::NodeMembers&& members);

  // What the port tells.
  void on_calls(RedisPartition partition, bool are_possible);
  void on_room_subscribed(std::string_view name);
  [[nodiscard]] static bool is_news(std::string_view bytes) {
    return bytes.starts_with(redis_presence_prefix);
  }
  void on_news(std::string_view name, std::string_view bytes);
  void on_answer(RedisCallId call, base::Result<RedisPresenceAnswer, RedisFault>&& outcome);

 private:
  /// A call is made while there is space for so much, which is a field with many names.
  static constexpr std::size_t call_space = 65'536;

  /// Another server in a room.
  struct Field {
    std::uint64_t node = 0;
    std::uint64_t version = 0;
    bool is_told = false;   // to the hub; not before it is known that the server is there
    bool is_fresh = false;  // it was heard of since the read under way began
    bool is_empty = false;  // it has no members any more: kept until that read is answered
  };
  struct Room final : public base::Linked<RedisPresenceToWrite>, public base::Linked<RedisPresenceToRead> {
    std::string_view name;  // in rooms_
    RedisPartition partition = 0;
    std::size_t index = 0;  // in all_
    bool is_open = false;   // the hub has it

    // This server's field.
    hub::NodeMembers written{};
    std::uint64_t version = 0;     // of it; 0: there never was one
    std::uint64_t connection = 0;  // Partition::connections as of its write
    bool is_uncertain = false;     // the last write may not have been done
    bool is_to_refresh = false;
    std::optional<hub::NodeMembers> wanted{};
    RedisCallId write = 0;  // under way
    hub::NodeMembers writing{};
    std::uint64_t writing_version = 0;
    std::uint64_t writing_connection = 0;

    // The others'.
    std::vector<Field> fields{};
    RedisCallId read = 0;       // under way
    std::uint64_t to_read = 0;  // the one server to read; 0: all
    std::uint64_t reading = 0;  // likewise, under way
    std::int64_t not_before_ms = 0;
  };
  struct Node {
    bool is_there = false;      // false: not known yet
    std::int64_t heard_ms = 0;  // or first met
    bool is_gone = false;       // its fields are being forgotten
  };
  struct Partition {
    bool has_calls = false;
    std::uint64_t connections = 0;
  };
  struct Call {
    RedisPresenceCall::What what = RedisPresenceCall::What::read;
    Room* room = nullptr;  // null: a lease, or a field that is dropped
    std::vector<std::uint64_t> nodes{};
  };
  using ToWrite = base::LinkedList<Room, RedisPresenceToWrite>;
  using ToRead = base::LinkedList<Room, RedisPresenceToRead>;

  void run_at_turn_end() override;
  void on_deadline() override;
  [[nodiscard]] Room* find(std::string_view name);
  Room& find_or_make(std::string_view name);
  void erase_if_idle(const Room& room);
  RedisCallId call(const RedisPresenceCall& what, Call&& record);
  void look_in(std::int64_t ms);
  void wake() { parts_.scheduler.mark_deferred(*this); }
  [[nodiscard]] bool can_call(const Room& room) const;

  // What is here (redis_presence_fields.cpp).
  void need_write(Room& room);
  bool write_some();
  void write(Room& room);
  void on_written(Room& room, bool is_done);
  void rewrite_some();
  void refresh_some();

  // What is elsewhere (the same).
  void need_read(Room& room, std::uint64_t node);
  bool read_some();
  void on_read(Room& room, const base::Result<RedisPresenceAnswer, RedisFault>& outcome);
  void take_field(Room& room, std::string_view name, std::string_view value);
  void take_news(Room& room, const RedisPresenceNews& news);
  Field* find_or_make(Room& room, std::uint64_t node);
  void tell_gone(const Room& room, const Field& field);

  // Which servers are there.
  [[nodiscard]] Node* meet(std::uint64_t node);
  void hear(std::uint64_t node);
  void renew_lease();
  void on_lease(const std::vector<std::uint64_t>& asked, const RedisPresenceAnswer& answer);
  void sweep_some();
  void drop(const Room& room, const Field& field);

  Parts parts_;
  std::uint64_t node_;
  std::string node_name_;
  RedisPresenceStats stats_;
  hub::EngineEvents* events_ = nullptr;
  base::NameMap<std::unique_ptr<Room>> rooms_;
  std::vector<Room*> all_;
  std::array<Partition, redis_partitions> partitions_;
  std::map<std::uint64_t, Node> nodes_;
  std::unordered_map<RedisCallId, Call> calls_;
  RedisCallId last_call_ = 0;
  std::uint64_t last_version_ = 0;
  std::size_t rewrites_ = 0;  // the rooms before it in all_ may have to be written again
  std::size_t sweep_ = 0;     // those before it are to be looked at, since a server has come or gone
  std::size_t refresh_ = 0;   // those before it are to be refreshed in this round
  bool is_leasing_ = false;
  bool leases_again_ = false;  // for servers that were met meanwhile
  bool has_lease_ = false;
  ToWrite to_write_;
  ToRead to_read_;
  std::int64_t next_tick_ms_ = 0;
  std::int64_t due_at_ms_ = 0;
  base::Deadline due_;
};

}  // namespace roomcast::engine

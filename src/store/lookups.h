#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "loop/loop.h"
#include "loop/worker_thread.h"
#include "store/archive_reader.h"
#include "store/load_queue.h"
#include "store/room_store.h"

namespace roomcast::store {

/// Loads rooms and reads pages on a thread of its own, by turns while both wait; which room is next LoadQueue
/// decides. The thread has only a few of them at a time: what it has is done in the order of the calls.
/// Belongs to the loop's thread.
class Lookups {
 public:
  static constexpr std::size_t reads_max = 256;

  using Loaded = base::Result<ArchiveReader::Loaded, Fault>;
  using Page = base::Result<ArchiveReader::Page, Fault>;

  class Listener {
   public:
    virtual void on_load_done(std::string_view room, Loaded&& loaded, std::int64_t took_us) = 0;
    virtual void on_read_done(std::uint64_t ticket, Page&& page, std::int64_t took_us) = 0;

   protected:
    ~Listener() = default;
  };

  /// What is asked for in RoomStore::read.
  struct PageRequest {
    RoomId room = 0;
    std::uint64_t after = 0;
    std::size_t back = 0;
    std::size_t messages_max = 0;
    std::size_t bytes_max = 0;
    std::uint64_t ticket = 0;
  };

  /// `loop` and `listener` outlive it, and so does what the reader uses.
  Lookups(loop::Loop& loop, Listener& listener, ArchiveReader reader, const hub::RoomRules& rules);
  /// Waits for the one that is under way, and drops the others.
  ~Lookups();

  void set_rules(const hub::RoomRules& rules);
  /// The room is not in use any more. Told to the reader's thread before the next load, and by `flush`.
  void forget(RoomId room) { forgotten_.push_back(room); }
  void flush();
  /// Returns the room that is refused for want of space: this one or another; see LoadQueue. One that is
  /// being loaded already gets that answer.
  [[nodiscard]] std::optional<std::string> load(std::string_view room, hub::Source source, const AgeTime& now,
                                                std::int64_t wall_ms);
  /// False: too many pages wait.
  [[nodiscard]] bool read(std::string_view room, const PageRequest& request, const AgeTime& now);

 private:
  class Job;
  class RulesJob;
  class ForgetJob;
  class LookupJob;
  class LoadJob;
  class ReadJob;

  /// What the thread uses, and nobody else.
  struct Desk {
    ArchiveReader reader;
    hub::RoomRules rules;
  };

  /// Enough to keep the thread at work while the loop has a turn.
  static constexpr std::size_t under_way_max = 8;
  void hand_over();
  void on_lookup_done();
  void on_load_done(std::string_view room);

  loop::Loop& loop_;
  Listener& listener_;
  Desk desk_;
  LoadQueue loads_;
  std::vector<std::string> loading_;  // rooms that the thread has
  std::deque<std::unique_ptr<loop::ThreadJob>> reads_;
  std::size_t under_way_ = 0;  // loads and reads that the thread has
  bool is_turn_of_reads_ = false;
  std::vector<RoomId> forgotten_;
  loop::WorkerThread thread_;  // the last: it ends first
};

}  // namespace roomcast::store

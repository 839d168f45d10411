#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "loop/loop.h"
#include "loop/worker_thread.h"
#include "store/archive_reader.h"
#include "store/room_store.h"

namespace roomcast::store {

/// Loads rooms and reads pages on a thread of its own, a bounded number at a time. Belongs to the loop's
/// thread.
class Lookups {
 public:
  static constexpr std::size_t waiting_max = 256;

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
  [[nodiscard]] bool is_full() const { return thread_.size() >= waiting_max; }
  // Only if it is not full.
  void load(std::string_view room, const AgeTime& now, std::int64_t wall_ms);
  void read(std::string_view room, const PageRequest& request, const AgeTime& now);

 private:
  class Job;
  class RulesJob;
  class ForgetJob;
  class LoadJob;
  class ReadJob;

  /// What the thread uses, and nobody else.
  struct Desk {
    ArchiveReader reader;
    hub::RoomRules rules;
  };

  loop::Loop& loop_;
  Listener& listener_;
  Desk desk_;
  std::vector<RoomId> forgotten_;
  loop::WorkerThread thread_;  // the last: it ends first
};

}  // namespace roomcast::store

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "hub/message.h"
#include "hub/room_settings.h"
#include "loop/loop.h"
#include "loop/turn.h"

namespace roomcast::store_bench {

/// What is measured: takes messages on the loop, and says when they are on the disk. All write the same
/// records, of the same size, and begin a commit at most once in commit_ms.
class Subject {
 public:
  static constexpr std::int64_t commit_ms = 5;
  static constexpr std::size_t queue_bytes = std::size_t{16} << 20U;
  /// Of a room, older ones go.
  static constexpr std::size_t messages_kept = 100;

  class Listener {
   public:
    /// All batches up to this one are on the disk.
    virtual void on_committed(std::uint64_t batch) = 0;

   protected:
    ~Listener() = default;
  };

  virtual ~Subject() = default;

  /// Adds a message to the batch that is being filled. `room`: from 0 on; each room's offsets begin at 1.
  virtual void append(std::uint32_t room, const hub::Message& message) = 0;
  [[nodiscard]] virtual bool has_space_for(std::size_t bytes) const = 0;
  [[nodiscard]] virtual std::uint64_t batch_number() const = 0;
  /// To be called in each turn, after what is appended there.
  virtual void turn() = 0;
  /// Once everything is committed: what is left to do, as at the end of a server.
  virtual void finish() = 0;
};

/// What they are made with; outlives them.
struct Parts {
  loop::Loop& loop;
  loop::Turn& turn;
  Subject::Listener& listener;
  std::string directory;
};

/// One write and one fdatasync for each batch, into a file whose blocks are there already.
[[nodiscard]] std::unique_ptr<Subject> make_bare(const Parts& parts);
/// SQLite with a row for each message, by room and offset; one transaction for each batch.
[[nodiscard]] std::unique_ptr<Subject> make_rows(const Parts& parts);
/// The store of src/store.
[[nodiscard]] std::unique_ptr<Subject> make_store(const Parts& parts);

[[nodiscard]] hub::RoomRules bench_rules();
/// Ends the program with a message.
[[noreturn]] void fail(const std::string& what);

}  // namespace roomcast::store_bench

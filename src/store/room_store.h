#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/engine.h"
#include "hub/refusal.h"
#include "hub/source.h"
#include "store/record.h"

namespace roomcast::store {

/// What the store can do at the moment.
enum class State : std::uint8_t {
  ok,
  full,    ///< no space on the disk, or store.disk_bytes are used up and nothing can be evicted
  failed,  ///< writing has failed several times in a row, or the files are damaged
};

/// As logs, metrics and /readyz name it.
[[nodiscard]] constexpr std::string_view name_of(State state) {
  switch (state) {
    case State::ok:
      return "ok";
    case State::full:
      return "full";
    case State::failed:
      break;
  }
  return "failed";
}

/// A key that a message of the last minutes was published with.
struct KnownKey {
  std::string text;
  PublishKey::Digest digest{};
  std::uint64_t offset = 0;
  std::int64_t time_ms = 0;
};

/// Where a room's log stands on the disk.
struct RoomExtent {
  RoomId id = 0;
  std::uint64_t epoch = 0;
  bool is_written = false;  ///< it has a record there; if not, the first batch begins with one
  std::uint64_t top = 0;    ///< the offset of the last message, or of the end of a hole behind it
  std::uint64_t ceiling =
      0;  ///< offsets up to it may have been given to messages that were lost; at least `top`
  std::uint64_t floor = 0;         ///< everything after it is there, but for `holes`
  std::int64_t last_time_ms = 0;   ///< of the last message: times in a room never go back
  std::vector<hub::Hole> holes{};  ///< after the floor, in order; 16 at most
  std::vector<KnownKey> keys{};    ///< of the last five minutes, 1,000 at most
};

/// Records that were read: a page of one room, oldest first, one message at least if any follows.
struct RecordPage {
  std::string records;      ///< of type `message`, whole, with amendments applied
  std::uint64_t after = 0;  ///< the offset that they follow, but for holes and what is below the floor
  std::uint64_t floor = 0;
  std::vector<hub::Hole> holes{};  ///< as in RoomExtent
};

/// The store as the loop's thread sees it: everything is asked for and answered later, at the end of a turn
/// or from within a turn, never from within the call. Batches are committed in their order, one at a time,
/// each whole or not at all.
class RoomStore {
 public:
  using BatchNumber = std::uint64_t;

  class Listener {
   public:
    /// All batches up to this one are on the disk, and survive a power cut.
    virtual void on_committed(BatchNumber batch) = 0;
    /// The answer to `load`, once for each call.
    virtual void on_loaded(std::string_view room, base::Result<RoomExtent, hub::Refusal>&& extent) = 0;
    /// The answer to `read`, once for each call.
    virtual void on_read(std::uint64_t ticket, base::Result<RecordPage, hub::Refusal>&& page) = 0;
    virtual void on_state(State state) = 0;

   protected:
    ~Listener() = default;
  };

  /// Called once, before anything else; `listener` outlives the store's last call.
  virtual void start(Listener& listener) = 0;
  [[nodiscard]] virtual State state() const = 0;

  /// Asks where the room stands, for a client of `source`; again before the answer, which comes once, for
  /// another. Sources take turns. Bounded: with too many waiting, those of the source that has the most are
  /// refused (store_busy).
  virtual void load(std::string_view room, hub::Source source) = 0;
  /// Reads what the room has after `after`, or `back` messages before that: those that are removed do not
  /// count, as far as ArchiveReader::back_bytes_max goes. Bounded: refused with too many under way.
  virtual void read(RoomId room, std::string_view name, std::uint64_t after, std::size_t back,
                    std::size_t messages_max, std::size_t bytes_max, std::uint64_t ticket) = 0;

  /// The batch that is being filled: append records to it (record.h). It is committed with the end of the
  /// turn, or as soon as the one before is and `store.commit_ms` have gone by.
  [[nodiscard]] virtual std::string& batch() = 0;
  [[nodiscard]] virtual BatchNumber batch_number() const = 0;
  /// To be called after each append.
  virtual void appended() = 0;
  /// Whether a record of so many bytes would exceed store.queue_bytes: batches filling and under way.
  [[nodiscard]] virtual bool has_space_for(std::size_t bytes) const = 0;
  /// The bytes of batches that are not committed yet, this one included.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  /// A room with a number is not in use any more: all of its records are on the disk, and before it is used
  /// again it is loaded. What has nothing left may be forgotten on the disk, too.
  virtual void forget(RoomId room) = 0;
  /// Whether there is a room number left.
  [[nodiscard]] virtual bool has_room_ids() const = 0;
  /// A room number that no room has had; has_room_ids is true.
  [[nodiscard]] virtual RoomId next_room_id() = 0;

 protected:
  ~RoomStore() = default;
};

}  // namespace roomcast::store

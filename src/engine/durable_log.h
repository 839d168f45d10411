#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/engine.h"
#include "store/room_store.h"

namespace roomcast::engine {

/// The end of one room's log on the disk, as the loop knows it: the offsets that have been given, those that
/// are reserved, what is missing, and in which batch its last records are. Appends the room's records to a
/// batch; knows no store and no hub.
///
/// An offset may be seen by others before it is on the disk only if it is reserved: a record on the disk, the
/// ceiling, says that offsets up to there may have been given. After a crash the log goes on behind the
/// ceiling, and what is between is a hole. So no offset ever means two messages.
class DurableLog {
 public:
  using BatchNumber = store::RoomStore::BatchNumber;

  /// Offsets reserved at a time; they are renewed when half of them are used, so that a disk that fails does
  /// not stop messages that need no disk for a long time.
  static constexpr std::uint64_t reserved_offsets = 1'048'576;
  /// The older ones become part of what is before the floor.
  static constexpr std::size_t holes_max = 16;

  /// The store's answer to RoomStore::load.
  void open(const store::RoomExtent& extent);
  [[nodiscard]] bool is_open() const { return epoch_ != 0; }
  [[nodiscard]] bool is_written() const { return is_written_; }
  /// 0 before the first record.
  [[nodiscard]] store::RoomId id() const { return id_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] std::uint64_t floor() const { return floor_; }
  /// The last offset that was given.
  [[nodiscard]] std::uint64_t top() const { return top_; }
  /// Where the log stands for a subscriber that is told of messages after `offset`.
  [[nodiscard]] hub::LogState state_at(std::uint64_t offset) const;
  /// Everything that is missing after the floor, in order.
  [[nodiscard]] std::vector<hub::Hole> holes() const;
  [[nodiscard]] bool is_missing(std::uint64_t offset) const;
  /// Whether the message with that offset, which is missing, was left out by this engine: others may have it.
  [[nodiscard]] bool was_left_out(std::uint64_t offset) const {
    return offset > opened_at_ && is_missing(offset);
  }
  /// Takes note of what a page says about the floor and of holes that were found on the disk.
  void learn(std::uint64_t floor, const std::vector<hub::Hole>& holes);
  /// Everything up to `offset` has been removed.
  void clear_up_to(std::uint64_t offset);

  /// A time that is not before that of the last message.
  [[nodiscard]] std::int64_t time_not_before_last(std::int64_t wall_ms);

  /// Appends what has to precede the room's next records in the batch with that number: that the room exists,
  /// and what is missing before them. `next_id` is called if the room needs a number.
  template <class NextId>
  void begin_records(std::string& batch, BatchNumber number, std::string_view room, const NextId& next_id) {
    if (id_ == 0) id_ = next_id();
    begin_records(batch, number, room);
  }
  /// The next message has been appended: its offset is top() + 1.
  void append(std::string& batch, const hub::Message& message, const store::PublishKey& key);
  /// The next message is not kept.
  void leave_out();

  /// Whether the next offset may be seen before it is on the disk, with all batches up to `committed` there.
  [[nodiscard]] bool is_reserved(BatchNumber committed) const { return top_ < reserved(committed); }
  /// Whether offsets have to be reserved with the next record.
  [[nodiscard]] bool needs_reserve() const { return top_ + reserved_offsets / 2 >= ceiling_; }
  /// Appends a record that reserves offsets; after begin_records.
  void reserve(std::string& batch, BatchNumber number, BatchNumber committed);
  /// The batch that the last reservation is in.
  [[nodiscard]] BatchNumber reserving_batch() const { return reserving_batch_; }
  /// Whether offsets are reserved that have not been given: after a crash they would be a hole.
  [[nodiscard]] bool has_reserve() const { return ceiling_ > top_; }
  /// Appends a record that takes the reservation back; after begin_records.
  void close(std::string& batch);

  /// The batch with the room's last records.
  [[nodiscard]] BatchNumber last_batch() const { return last_.number; }
  /// Counts bytes of records that have been appended to that batch.
  void count(std::size_t bytes) { last_.bytes += bytes; }
  /// What was counted and is not on the disk, with all batches up to `committed` there.
  [[nodiscard]] std::size_t queued_bytes(BatchNumber committed) const;
  /// The last offset that is on the disk, or missing there, with all batches up to `committed` there.
  [[nodiscard]] std::uint64_t kept_up_to(BatchNumber committed) const;

 private:
  /// A batch with records of the room.
  struct InBatch {
    BatchNumber number = 0;
    std::uint64_t top_before = 0;  // of the room, before the first of them
    std::size_t bytes = 0;         // of count()
  };
  [[nodiscard]] std::uint64_t reserved(BatchNumber committed) const {
    return reserving_batch_ <= committed ? ceiling_ : reserved_before_;
  }
  void begin_records(std::string& batch, BatchNumber number, std::string_view room);
  void add_hole(const hub::Hole& hole);

  store::RoomId id_ = 0;
  bool is_written_ = false;
  std::uint64_t epoch_ = 0;
  std::uint64_t floor_ = 0;
  std::uint64_t top_ = 0;
  std::uint64_t opened_at_ = 0;        // top_ then
  std::uint64_t ceiling_ = 0;          // the last one recorded; less than top_ without a reservation
  std::uint64_t reserved_before_ = 0;  // what was reserved before that is on the disk
  BatchNumber reserving_batch_ = 0;
  std::uint64_t unrecorded_from_ = 0;  // up to top_ offsets are missing, and no record says so yet; 0: none
  std::int64_t last_time_ms_ = 0;
  // Batches are committed one at a time, while one is filled: the others are on the disk.
  InBatch last_;
  InBatch before_last_;
  std::vector<hub::Hole> holes_;  // recorded; after the floor, in order
};

}  // namespace roomcast::engine

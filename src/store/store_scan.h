#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "hub/engine.h"
#include "store/chunk.h"
#include "store/database.h"
#include "store/record.h"
#include "store/room_rows.h"
#include "store/tail.h"

namespace roomcast::store {

/// Problems that were found, in words. The first problems_max are kept, all are counted.
class ProblemList {
 public:
  static constexpr std::size_t problems_max = 1'000;

  void add(std::string problem) {
    ++count_;
    if (texts_.size() < problems_max) texts_.push_back(std::move(problem));
  }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::vector<std::string> texts_;
  std::size_t count_ = 0;
};

/// Reads all that a store has, from both databases, for the commands of operators: everything on the disk,
/// whatever the limits of history say. Read-only, so a server may be using it: what it sees is the store as
/// it was at one moment. It reads on behind whatever is damaged, and says so.
///
/// It takes memory for what the journal has, and for the names of all rooms.
class StoreScan {
 public:
  struct Options {
    std::string directory;
    /// Finds chunks without the index, also those of rooms that are not there any more. Takes some 60 bytes
    /// for each chunk.
    bool by_table = false;
  };
  struct Meta {
    bool is_clean = false;
    std::uint64_t folded_seq = 0;
    std::uint64_t rooms = 0;
    std::uint64_t messages = 0;
  };
  struct Room {
    RoomId id = 0;
    std::string name{};
    std::uint64_t epoch = 0;  ///< 0: it could not be read
    std::uint64_t floor = 0;
    std::uint64_t top = 0;
  };
  /// Takes what a room has, in the order of offsets, from `floor` to `top`: each is in a message or a hole.
  class Visitor {
   public:
    virtual void on_room(const Room& room) = 0;
    /// Of type `message`, as it is now: a removed one as its place.
    virtual void on_message(const Room& room, const Record& message) = 0;
    virtual void on_hole(const Room& room, const hub::Hole& hole) = 0;

   protected:
    ~Visitor() = default;
  };

  /// Fails where nothing could be read, or where a file is not one of ours or of a newer format.
  [[nodiscard]] static base::Result<std::unique_ptr<StoreScan>> open(const Options& options);

  /// All rooms, by their names.
  void visit(Visitor& visitor);
  /// One room: false if it is not there.
  [[nodiscard]] bool visit(Visitor& visitor, std::string_view room);

  [[nodiscard]] const Meta& meta() const { return meta_; }
  /// The named values, the tail's included.
  [[nodiscard]] std::map<std::string, std::string> values();
  /// What the journal has that is not folded.
  [[nodiscard]] const TailSegment& tail() const { return *segment_; }
  [[nodiscard]] std::size_t batches() const { return segment_->batches.size(); }
  /// Null if the file could not be opened.
  [[nodiscard]] Database* history() { return history_.get(); }
  /// Found so far.
  [[nodiscard]] const ProblemList& problems() const { return problems_; }

 private:
  using RoomNames = std::map<std::string, RoomId>;

  explicit StoreScan(const Options& options) : options_(options) {}

  /// What can't be gone on without.
  [[nodiscard]] std::optional<base::Error> open_files();
  [[nodiscard]] std::optional<base::Error> note(const Fault& fault);
  void read_meta();
  void read_journal(Database& journal);
  void add_batch(std::uint64_t seq, std::string_view records, const std::string& path);
  void read_extents();
  [[nodiscard]] RoomNames room_names();
  [[nodiscard]] std::vector<ChunkExtent> extents_of(RoomId room);
  void visit_room(Visitor& visitor, const std::string& name, RoomId id);

  Options options_;
  ProblemList problems_;
  std::unique_ptr<Database> history_;
  std::optional<Transaction> reading_;  // of the history
  std::optional<RoomRows> rows_;
  Meta meta_;
  Tail tail_;
  TailSegment nothing_;
  const TailSegment* segment_ = &nothing_;                        // of tail_, if that has any
  std::unordered_map<RoomId, std::vector<ChunkExtent>> extents_;  // Options::by_table
};

}  // namespace roomcast::store

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/engine.h"
#include "store/room_state.h"
#include "store/store_scan.h"

namespace roomcast::store {

/// Goes through one room for a StoreScan: its chunks, then what the tail has. Tells holes that the room knows
/// of from messages that should be there.
class RoomWalk {
 public:
  /// `state`: from the disk. All outlive it.
  RoomWalk(RoomState state, StoreScan::Visitor& visitor, ProblemList& problems);

  /// The records of the tail, in their order; before anything is walked.
  void add_tail(std::span<const std::string_view> records);
  /// Calls on_room of the visitor. `name`: of the room, whether its row could be read or not.
  void begin(const std::string& name);
  /// The chunks of the room, in their order: `records` are those of the chunk with this extent.
  void walk_chunk(const ChunkExtent& extent, std::string_view records);
  /// One that can't be read.
  void walk_unreadable(const ChunkExtent& extent, std::string_view why);
  void finish();

  [[nodiscard]] const RoomState& state() const { return state_; }

 private:
  void walk(const Record& message);
  void pass_gap(std::uint64_t last);
  [[nodiscard]] std::string name_for_people() const { return "room \"" + room_.name + "\""; }

  RoomState state_;
  StoreScan::Visitor& visitor_;
  ProblemList& problems_;
  StoreScan::Room room_;
  std::vector<hub::Hole> explained_;  ///< of no order
  std::uint64_t expected_ = 0;        ///< the next offset
  std::string amended_;
};

}  // namespace roomcast::store

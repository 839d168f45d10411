#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace roomcast::base {

/// Identifies one element of a SlotMap: once that has been removed the id resolves to nothing, even if its
/// slot is reused. Asynchronous operations keep an id, never a pointer.
struct SlotId {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  ///< never 0 in a valid id
  friend bool operator==(const SlotId&, const SlotId&) = default;
};

/// Owns values, which are found by their id. Insertion, look-up and removal are O(1). Grows in blocks: values
/// never move, and growing never copies all of them.
template <class T>
class SlotMap {
 public:
  SlotId insert(T value) {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Slot& slot = slots_[index];
    slot.value = std::move(value);
    slot.occupied = true;
    ++size_;
    return {index, slot.generation};
  }

  /// The value, or null if the id is stale.
  T* find(SlotId id) {
    if (id.index >= slots_.size()) return nullptr;
    Slot& slot = slots_[id.index];
    return slot.occupied && slot.generation == id.generation ? &slot.value : nullptr;
  }

  /// Removes and returns the value; a default T if the id is stale.
  T take(SlotId id) {
    T* found = find(id);
    if (found == nullptr) return T{};
    T value = std::move(*found);
    Slot& slot = slots_[id.index];
    slot.value = T{};
    slot.occupied = false;
    if (++slot.generation == 0) slot.generation = 1;
    free_.push_back(id.index);
    --size_;
    return value;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  // To go through the values in parts, by the index of their ids.

  /// All indexes are below this; it never becomes smaller.
  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(slots_.size()); }
  /// The value whose id has this index, which is below slots(); null if there is none.
  [[nodiscard]] T* at_slot(std::uint32_t index) {
    Slot& slot = slots_[index];
    return slot.occupied ? &slot.value : nullptr;
  }

  /// Calls `visit(SlotId, T&)` for each value. The visitor may remove values; values that it adds may or may
  /// not be visited.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].occupied) visit(SlotId{i, slots_[i].generation}, slots_[i].value);
    }
  }

 private:
  struct Slot {
    T value{};
    std::uint32_t generation = 1;
    bool occupied = false;
  };
  std::deque<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace roomcast::base

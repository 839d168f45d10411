#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace roomcast::base {

/// Names one occupant of a SlotMap for ever: once that is gone, the id resolves to nothing, even when the
/// slot has been given to another. What is asynchronous keeps an id, never a pointer.
struct SlotId {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  ///< 0 is never given out
  friend bool operator==(const SlotId&, const SlotId&) = default;
};

/// Owns values under ids. Insertion, look-up and removal are O(1). It grows piece by piece: no value moves,
/// and there is never twice the memory, or the pause, of a copy of all.
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

  /// The occupant, or null when the id is stale.
  T* find(SlotId id) {
    if (id.index >= slots_.size()) return nullptr;
    Slot& slot = slots_[id.index];
    return slot.occupied && slot.generation == id.generation ? &slot.value : nullptr;
  }

  /// Removes and returns the occupant; a default T when the id is stale.
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

  /// Calls `visit(SlotId, T&)` for each occupant. The visitor may remove occupants; ones added meanwhile may
  /// or may not be visited.
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

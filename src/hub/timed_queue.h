#pragma once

#include <cstdint>

#include "base/linked_list.h"

namespace roomcast::hub {

/// A place in a TimedQueue: derive once for each queue that an item can be in.
template <class Tag>
struct Timed : base::Linked<Tag> {
  std::int64_t until_ms = 0;
};

/// Items that wait for something, each until a time. They are due in the order in which they were added:
/// callers add all with the same delay. Owns none of them; an item leaves the queue when it is destroyed.
template <class Item, class Tag>
class TimedQueue {
 public:
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] static bool has(const Item& item) { return static_cast<const Timed<Tag>&>(item).is_linked(); }
  /// Adds an item that is not in the queue.
  void add(Item& item, std::int64_t until_ms) {
    static_cast<Timed<Tag>&>(item).until_ms = until_ms;
    items_.push_back(item);
  }
  /// Takes the item out. False if it was not there.
  bool remove(Item& item) {
    if (!has(item)) return false;
    static_cast<Timed<Tag>&>(item).unlink();
    return true;
  }
  /// Takes the first item out if its time has come; null otherwise.
  [[nodiscard]] Item* take_due(std::int64_t now_ms) {
    Item* const first = items_.front();
    if (first == nullptr || static_cast<Timed<Tag>&>(*first).until_ms > now_ms) return nullptr;
    remove(*first);
    return first;
  }

 private:
  base::LinkedList<Item, Tag> items_;
};

}  // namespace roomcast::hub

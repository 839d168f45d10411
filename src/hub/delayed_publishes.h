#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "base/linked_list.h"
#include "base/slot_map.h"
#include "hub/message.h"
#include "hub/outcome.h"

namespace roomcast::hub {

class Room;

/// Publishes that wait until what was accepted before them has been delivered: each room's in their order,
/// the rooms by turns. Decides nothing: the caller says when a room's turn has come, and bounds their bytes
/// and their time.
class DelayedPublishes {
 public:
  class Queue;
  struct Publish {
    Queue* queue = nullptr;
    Draft draft;
    PublishDone done;
  };
  /// A room's part, held by the room.
  class Queue final : public base::Linked<Queue> {
   public:
    explicit Queue(Room& room) : room_(room) {}
    [[nodiscard]] Room& room() const { return room_; }
    /// Whether publishes wait.
    [[nodiscard]] bool has_publishes() const { return ids_ != nullptr; }
    /// Whether its turn is still to come, with publishes or without.
    [[nodiscard]] bool has_turn() const { return is_linked(); }
    void push(base::SlotId id);
    /// Takes the oldest; there is one.
    base::SlotId pop();

   private:
    Room& room_;
    std::unique_ptr<std::deque<base::SlotId>> ids_;  // oldest first; null if none waits
  };

  DelayedPublishes() = default;
  DelayedPublishes(const DelayedPublishes&) = delete;
  DelayedPublishes& operator=(const DelayedPublishes&) = delete;

  /// What a draft counts in bytes(): its payload, labels and key, and the fixed cost of one that waits.
  [[nodiscard]] static std::size_t cost_of(const Draft& draft);
  /// Appends a publish, which may wait until `until_ms`: not earlier than for the last one.
  void add(Queue& queue, Draft&& draft, PublishDone&& done, std::int64_t until_ms);
  [[nodiscard]] std::size_t size() const { return publishes_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Gives the queue a turn, after those that have one. Nothing happens if it has one, or no publishes.
  void give_turn(Queue& queue);
  [[nodiscard]] bool has_turns() const { return !turns_.empty(); }
  /// Ends the first turn and returns whose it was. There is one.
  [[nodiscard]] Queue& take_turn();
  /// Takes the queue's oldest publish, if there is any.
  [[nodiscard]] std::optional<Publish> take_first(Queue& queue);
  /// Takes the publish that has waited longest if its time is over.
  [[nodiscard]] std::optional<Publish> take_overdue(std::int64_t now_ms);

 private:
  struct Waiting {
    Publish publish;
    std::int64_t until_ms = 0;
  };

  base::SlotMap<Waiting> publishes_;
  std::deque<base::SlotId> order_;  // the longest waiting first; some have been taken
  base::LinkedList<Queue, Queue> turns_;
  std::size_t bytes_ = 0;
};

}  // namespace roomcast::hub

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/deadlines.h"
#include "base/scheduler.h"
#include "hub/hub.h"
#include "hub/membership.h"
#include "hub/message.h"
#include "hub/outcome.h"
#include "hub/subscriber.h"

namespace roomcast::app {

/// This server's place in a room that servers have among themselves (hub/internal_rooms.h). What is published
/// there, here or elsewhere, is handed to the listener in the order of the room's log, at the end of turns
/// and a few messages at a time. If the place is lost it is taken again behind the last message that came.
class InternalRoom final : private hub::Subscriber, private base::TurnTask, private base::Deadline::Listener {
 public:
  class Listener {
   public:
    /// `is_past`: it was in the room's log when the place was taken.
    virtual void on_room_message(const hub::Message& message, bool is_past) = 0;
    /// Messages may be missing here, between the one before and the next one. Where past messages are wanted
    /// all of them are handed over once more from here on.
    virtual void on_room_gap(const hub::Gap& /*gap*/) {}
    /// All that the room's log had when the place was taken, or when the last gap came, has been handed over.
    virtual void on_room_read() {}

   protected:
    ~Listener() = default;
  };

  /// What else is used; all of it outlives the room.
  struct Parts {
    hub::Hub& hub;
    base::Scheduler& scheduler;
    base::Deadlines& deadlines;
  };

  /// `past`: how many of the messages that are in the log already are wanted; 0: none.
  InternalRoom(const Parts& parts, std::string name, std::size_t past, Listener& listener);
  InternalRoom(const InternalRoom&) = delete;
  InternalRoom& operator=(const InternalRoom&) = delete;
  ~InternalRoom();

  /// Takes the place. Once.
  void join();
  /// Whether the place has been taken once: from then on no message is missed unknown to the listener.
  [[nodiscard]] bool has_joined() const { return has_joined_; }
  /// Whether all has been handed over that was there when the place was taken.
  [[nodiscard]] bool has_been_read() const { return has_been_read_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// Past so much that waits to be handed over the place is given up, and taken again when that is done.
  static constexpr std::size_t queued_bytes_max = std::size_t{8} << 20U;
  /// Handed over in a turn.
  static constexpr std::size_t per_turn = 64;
  /// When a place that was refused is asked for again.
  static constexpr std::int64_t retry_ms = 1'000;

 private:
  using Item = std::variant<hub::Message, hub::Gap>;

  void on_joined(hub::Membership& membership, const hub::Joined& joined) override;
  void on_gap(hub::Membership& membership, const hub::Gap& gap) override;
  void on_refused(hub::Membership& membership, const hub::Refusal& refusal) override;
  void deliver(hub::Batch& batch, std::size_t from) override;
  void run_at_turn_end() override;
  void on_deadline() override;
  void hand_over(const Item& item);
  void await(const hub::Membership& membership);
  [[nodiscard]] static std::size_t cost_of(const hub::Message& message) {
    return sizeof(Item) + message.payload.size();
  }

  Parts parts_;
  std::string name_;
  std::size_t past_;
  Listener& listener_;
  std::unique_ptr<hub::Membership> membership_;
  std::deque<Item> queue_;
  std::size_t queued_bytes_ = 0;
  std::optional<hub::Position> last_;  // of the last message that came, or where the place began
  std::uint64_t past_end_ = 0;         // what is in the log up to there is past
  bool has_joined_ = false;
  bool is_reading_ = false;  // on_room_read is due
  bool has_been_read_ = false;
  base::Deadline retry_;
};

}  // namespace roomcast::app

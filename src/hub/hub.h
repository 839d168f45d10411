#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/scheduler.h"
#include "base/string_hash.h"
#include "hub/engine.h"
#include "hub/message.h"
#include "hub/room.h"

namespace roomcast::hub {

/// What a publisher is told once its message has its place.
struct Receipt {
  Position position;
  std::size_t subscribers = 0;  ///< members of the room on this server at that moment
};
using PublishResult = base::Result<Receipt, PublishRefusal>;
/// Called once, at the end of a turn, never from within publish. Keep ids in it, not pointers.
using PublishDone = std::function<void(const PublishResult&)>;

struct HubLimits {
  /// Payload bytes accepted and not yet handed to every member; past it the hub is congested.
  std::size_t backlog_bytes = std::size_t{8} << 20U;
};

struct HubStats {
  std::uint64_t published = 0;   ///< messages that came in through on_message for rooms with members
  std::uint64_t deliveries = 0;  ///< messages × members handed over
  std::uint64_t refused = 0;     ///< publishes refused here
};

/// The rooms and who is in them. Created on first use, gone when empty. Knows no sockets.
///
/// Nothing is delivered from within a call: messages are handed out by do_slice at the end of the turn, so a
/// publisher is never on the stack, and a room of any size is walked in slices between which everybody else
/// is served. Rooms take turns.
class Hub final : public EngineEvents, public base::SlicedWork {
 public:
  Hub(Engine& engine, base::Scheduler& scheduler, HubLimits limits)
      : engine_(engine), scheduler_(scheduler), limits_(limits) {
    engine_.start(*this);
  }
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Joins `subscriber` to the room (a valid name, see room_name.h): it gets every message whose place is
  /// fixed from now on. Drop the membership to leave.
  [[nodiscard]] std::unique_ptr<Membership> subscribe(std::string_view room, Subscriber& subscriber);

  /// Publishes into the room (a valid name). `done` may be empty.
  void publish(std::string_view room, const Draft& draft, PublishDone done = {});

  /// Whether messages come in faster than they can be handed out. Whoever can make a publisher wait should;
  /// who publishes all the same is refused once twice the limit is reached.
  [[nodiscard]] bool congested() const { return backlog_bytes_ > limits_.backlog_bytes; }
  /// Whether a publish would be taken now.
  [[nodiscard]] bool accepts_messages() const {
    return !overloaded_ && backlog_bytes_ <= 2 * limits_.backlog_bytes;
  }
  /// Whether memory is short: publishes are refused while it is (see app/memory_guard).
  void set_overloaded(bool overloaded) { overloaded_ = overloaded; }
  [[nodiscard]] bool overloaded() const { return overloaded_; }

  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }
  [[nodiscard]] std::size_t subscribers(std::string_view room) const;
  [[nodiscard]] std::size_t backlog_bytes() const { return backlog_bytes_; }
  [[nodiscard]] const HubStats& stats() const { return stats_; }

  void on_message(std::string_view room, const Message& message) override;
  void on_published(Ticket ticket, const PublishOutcome& outcome) override;
  bool do_slice() override;

 private:
  friend class Membership;
  struct Waiting {
    std::string room;
    PublishDone done;
  };

  [[nodiscard]] Room* find(std::string_view name) const;
  void on_left(Room& room);
  void remove_if_unused(Room& room);
  void run_completions();
  void walk_next_room();

  Engine& engine_;
  base::Scheduler& scheduler_;
  HubLimits limits_;
  HubStats stats_;
  std::unordered_map<std::string, std::unique_ptr<Room>, base::StringHash, std::equal_to<>> rooms_;
  std::deque<Room*> active_;  // rooms with work, each once, in the order in which they take turns
  std::size_t backlog_bytes_ = 0;
  bool overloaded_ = false;

  std::unordered_map<Ticket, Waiting> waiting_;
  std::vector<std::pair<PublishDone, PublishResult>> completed_;
  Ticket last_ticket_ = 0;
};

}  // namespace roomcast::hub

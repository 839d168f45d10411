#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "access/sanctions.h"
#include "app/internal_room.h"
#include "app/sanction_change.h"
#include "base/clock.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "hub/outcome.h"
#include "part/shared_sanctions.h"

namespace roomcast::app {

/// Sanctions as the servers that share their rooms agree on them: what an internal room says from its first
/// message to its last. That is kept without end, so each server has them from its start on, and after any
/// absence.
///
/// A sanction is in force on each server once that has the message. For the same subject the later message
/// counts, whoever sent it. Messages that are still needed are repeated before they are too far back to be
/// kept. If the room's log has lost messages, in a failover or as a whole, what any server still knows is put
/// in again.
class SharedSanctions final : public part::SharedSanctions,
                              private InternalRoom::Listener,
                              private base::TurnTask,
                              private base::Deadline::Listener {
 public:
  /// All of these outlive it.
  struct Parts {
    InternalRoom::Parts room;
    access::Sanctions& sanctions;
    const base::Clock& clock;
    base::Log& log;
  };

  explicit SharedSanctions(const Parts& parts);
  SharedSanctions(const SharedSanctions&) = delete;
  SharedSanctions& operator=(const SharedSanctions&) = delete;
  ~SharedSanctions();

  /// Begins to read them.
  void start() { room_.join(); }
  /// Whether those of the start have been read.
  [[nodiscard]] bool has_been_read() const { return room_.has_been_read(); }
  /// What is kept about sanctions beside these; about as many.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  void put(const access::Sanction& sanction, Done done) override;
  void lift(const access::Sanction& like, Done done) override;
  void set_listener(part::SharedSanctions::Listener& listener) override { listener_ = &listener; }

  /// Lifted ones that are remembered, so that no repetition under way puts them into force again.
  static constexpr std::size_t lifted_max = 1'000;
  /// Published in a turn when much has to be put in again.
  static constexpr std::size_t repairs_per_turn = 16;
  static constexpr std::int64_t repair_again_ms = 2'000;

 private:
  struct Entry {
    hub::Position position;  // of the message that it is from
    std::uint64_t id = 0;
    std::uint64_t reading = 0;  // in which that message was seen
  };
  using Entries = std::map<std::string, Entry, std::less<>>;  // by access::name_in_store

  void on_room_message(const hub::Message& message, bool is_past) override;
  void on_room_gap(const hub::Gap& gap) override;
  void on_room_read() override;
  void run_at_turn_end() override;
  void on_deadline() override;

  void apply(const hub::Position& position, SanctionChange&& change);
  void put_in(const std::string& name, const hub::Position& position, SanctionChange&& change);
  void erase(Entries::iterator entry);
  void drop_some_of_the_past();
  void renew_oldest();
  void repeat(const std::string& name, const Entry& entry);
  void publish(const SanctionChange& change, hub::DraftKey key, hub::PublishDone done);
  [[nodiscard]] bool is_lifted(std::string_view name, std::uint64_t after) const;

  Parts parts_;
  InternalRoom room_;
  part::SharedSanctions::Listener* listener_ = nullptr;
  Entries entries_;
  std::set<std::pair<std::uint64_t, std::string_view>> oldest_;  // offsets of entries, with their names
  std::deque<std::pair<std::string, std::uint64_t>>
      lifted_;  // names, and the offsets of what has lifted them
  std::uint64_t top_ = 0;
  std::uint64_t reading_ = 1;   // how many times the room has been read from its beginning
  std::uint64_t earliest_ = 0;  // when it was last read anew: what was before that is known to be over
  bool is_reading_ = true;
  bool is_renewing_ = false;
  std::string looked_at_;  // where drop_some_of_the_past goes on
  std::string repaired_;   // where repairs go on; empty: none are due, or from the beginning
  bool is_repair_left_ = false;
  base::Deadline repair_again_;
};

}  // namespace roomcast::app

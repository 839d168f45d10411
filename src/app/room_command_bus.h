#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "app/internal_room.h"
#include "base/clock.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "part/command_bus.h"

namespace roomcast::app {

/// Sends commands as messages of an internal room. Each server does them in the order of that room's log, the
/// one that sent them too, and answers into a room of the sender, whose only member that is. How many answers
/// are to be awaited the engine knows, which has counted the servers that the message was sent to.
///
/// JSON: a command is `{"node":"0123456789abcdef","call":7,"do":"clients","arguments":{...}}`, an answer
/// `{"call":7,"clients":2}`, with `"refusal"` (a code) and `"message"` if there is one.
class RoomCommandBus final : public part::CommandBus, private base::Deadline::Listener {
 public:
  /// All of these outlive it.
  struct Parts {
    InternalRoom::Parts room;
    const base::Clock& clock;
    base::Log& log;
  };

  /// `node`: a random number of this process.
  RoomCommandBus(const Parts& parts, std::uint64_t node);
  RoomCommandBus(const RoomCommandBus&) = delete;
  RoomCommandBus& operator=(const RoomCommandBus&) = delete;
  ~RoomCommandBus() = default;

  void start();

  void add(std::string_view name, Handler& handler) override;
  void send(std::string_view name, std::string_view arguments, Done done) override;
  [[nodiscard]] const std::string& node() const override { return node_; }

  /// How long answers are awaited.
  static constexpr std::int64_t answer_ms = 2'000;
  static constexpr std::size_t calls_max = 1'000;

 private:
  struct Call {
    Done done;
    Outcome outcome;                      // so far
    std::optional<std::size_t> expected;  // answers; nothing: not known
  };
  /// Takes the messages of one of the two rooms.
  struct Inbox final : InternalRoom::Listener {
    using Take = void (RoomCommandBus::*)(const hub::Message& message, bool is_past);
    Inbox(RoomCommandBus& owner, Take take) : owner_(owner), take_(take) {}
    void on_room_message(const hub::Message& message, bool is_past) override {
      (owner_.*take_)(message, is_past);
    }
    void on_room_gap(const hub::Gap& gap) override;

   private:
    RoomCommandBus& owner_;
    Take take_;
  };

  void take_command(const hub::Message& message, bool is_past);
  void take_answer(const hub::Message& message, bool is_past);
  void add_effect(std::uint64_t call, Effect&& effect);
  void finish(std::uint64_t call);
  void refuse(Done done, const base::Refusal& refusal);
  void on_deadline() override;

  Parts parts_;
  std::string node_;
  Inbox commands_inbox_{*this, &RoomCommandBus::take_command};
  Inbox answers_inbox_{*this, &RoomCommandBus::take_answer};
  InternalRoom commands_;
  InternalRoom answers_;
  std::map<std::string, Handler*, std::less<>> handlers_;
  std::unordered_map<std::uint64_t, Call> calls_;
  struct Due {
    std::int64_t at_ms;
    std::uint64_t call;
  };
  std::deque<Due> due_;  // some may be over
  std::uint64_t last_call_ = 0;
  base::Deadline next_due_;
};

}  // namespace roomcast::app

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/engine.h"

namespace roomcast::test {

/// Orders as the memory engine does, but opens rooms and answers publishes only at the test's call, if so
/// set. A room's first log has epoch 1, the next one, after it was forgotten, 2.
class FakeEngine final : public hub::Engine {
 public:
  void start(hub::EngineEvents& events) override { events_ = &events; }
  void subscribe(std::string_view room, hub::Source /*source*/ = 0) override {
    log.push_back("+" + std::string(room));
    Log& found = logs_[std::string(room)];
    found.top = {found.top.epoch + 1, 0};
    found.is_open = false;
    if (!hold_rooms) open(room);
  }
  void unsubscribe(std::string_view room) override { log.push_back("-" + std::string(room)); }
  void publish(std::string_view room, hub::Draft&& draft, hub::Ticket ticket) override {
    Log& found = logs_[std::string(room)];
    ++found.top.offset;
    sources.push_back(draft.source);
    // Before the room is open its messages are part of what it opens with.
    if (found.is_open)
      events_->on_message(room, {draft.kind, std::move(draft.payload), std::move(draft.author), draft.sender,
                                 found.top, 0, draft.source, std::move(draft.labels)});
    if (hold_answers) {
      held.push_back(ticket);
    } else if (ticket != 0) {
      events_->on_published(ticket, hub::Published{found.top});
    }
  }
  void remove(std::string_view room, const hub::Position& position, hub::Ticket ticket) override {
    amend(room, hub::Amendment::remove(position), ticket);
  }
  void replace(std::string_view room, const hub::Position& position, hub::Draft&& draft,
               hub::Ticket ticket) override {
    amend(room,
          hub::Amendment::replace({draft.kind, std::move(draft.payload), std::move(draft.author), 0, position,
                                   0, draft.source, std::move(draft.labels)}),
          ticket);
  }
  void clear(std::string_view room, hub::Ticket ticket) override {
    amend(room, hub::Amendment::clear(top(std::string(room))), ticket);
  }
  [[nodiscard]] bool may_refuse_publishes() const override { return may_refuse; }
  /// Answered by the test alone.
  void read(std::string_view /*room*/, const hub::Position& /*after*/, std::size_t /*messages_max*/,
            std::size_t /*bytes_max*/, hub::Ticket ticket) override {
    reads.push_back(ticket);
  }
  void read_back(std::string_view /*room*/, const hub::Position& /*before*/, std::size_t /*messages*/,
                 std::size_t /*messages_max*/, std::size_t /*bytes_max*/, hub::Ticket ticket) override {
    reads.push_back(ticket);
  }
  [[nodiscard]] bool shares_presence() const override { return shares; }
  void announce(std::string_view room, hub::NodeMembers&& members) override {
    announced.emplace_back(room, std::move(members));
  }
  /// Says where the log of a room stands, as subscribe does unless rooms are held.
  void open(std::string_view room) {
    Log& found = logs_[std::string(room)];
    found.is_open = true;
    events_->on_subscribed(room, hub::LogState(found.top));
  }
  [[nodiscard]] bool is_open(const std::string& room) { return logs_[room].is_open; }
  [[nodiscard]] hub::Position top(const std::string& room) { return logs_[room].top; }
  hub::EngineEvents& events() { return *events_; }

  std::vector<std::string> log;
  bool hold_rooms = false;
  bool hold_answers = false;
  bool may_refuse = false;
  std::vector<hub::Ticket> held;
  std::vector<hub::Ticket> reads;
  std::vector<hub::Source> sources;  // of the drafts
  int amended = 0;                   // amendments that were made
  bool shares = false;               // rooms have members on other servers
  std::vector<std::pair<std::string, hub::NodeMembers>> announced;

 private:
  struct Log {
    hub::Position top;
    bool is_open = false;
  };
  void amend(std::string_view room, hub::Amendment&& amendment, hub::Ticket ticket) {
    const hub::Position position = amendment.message.position;
    const hub::Position top = logs_[std::string(room)].top;
    const bool is_for_all = amendment.what == hub::Amendment::What::cleared;
    const bool is_known =
        position.epoch == top.epoch && position.offset != 0 && position.offset <= top.offset;
    if (!is_for_all && !is_known) {
      if (ticket != 0) events_->on_published(ticket, hub::no_such_message(position));
      return;
    }
    ++amended;
    events_->on_amended(room, std::move(amendment));
    if (ticket != 0) events_->on_published(ticket, hub::Published{position});
  }

  hub::EngineEvents* events_ = nullptr;
  std::map<std::string, Log> logs_;
};

}  // namespace roomcast::test

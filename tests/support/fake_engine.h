#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/engine.h"

namespace roomcast::test {

/// Orders as the memory engine does, but answers a publish only when told to, if so wished.
class FakeEngine final : public hub::Engine {
 public:
  void start(hub::EngineEvents& events) override { events_ = &events; }
  void subscribe(std::string_view room) override {
    log.push_back("+" + std::string(room));
    if (!hold_rooms) events_->on_subscribed(room, {1, offset_});
  }
  void unsubscribe(std::string_view room) override { log.push_back("-" + std::string(room)); }
  void publish(std::string_view room, const hub::Draft& draft, hub::Ticket ticket) override {
    const hub::Position position{1, ++offset_};
    events_->on_message(room, {draft.kind, draft.payload, draft.from, draft.sender, position, 0});
    if (hold_answers) {
      held.push_back(ticket);
    } else if (ticket != 0) {
      events_->on_published(ticket, position);
    }
  }
  hub::EngineEvents& events() { return *events_; }

  std::vector<std::string> log;
  bool hold_rooms = false;
  bool hold_answers = false;
  std::vector<hub::Ticket> held;

 private:
  hub::EngineEvents* events_ = nullptr;
  std::uint64_t offset_ = 0;
};

}  // namespace roomcast::test

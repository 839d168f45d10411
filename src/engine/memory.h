#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/name_map.h"
#include "hub/engine.h"

namespace roomcast::engine {

/// The engine of one server alone: a room's order is the order of publish calls. A room's log begins with a
/// random epoch when the room is first used and is forgotten with the room.
class Memory final : public hub::Engine {
 public:
  explicit Memory(const base::Clock& clock) : clock_(clock) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Subscribes to the room without announcing that. Returns where its log stands.
  const hub::Position& begin(std::string_view room);

  void start(hub::EngineEvents& events) override { events_ = &events; }
  void subscribe(std::string_view room, hub::Source source = 0) override;
  void unsubscribe(std::string_view room) override;
  void publish(std::string_view room, hub::Draft&& draft, hub::Ticket ticket) override;
  void remove(std::string_view room, const hub::Position& position, hub::Ticket ticket) override;
  void replace(std::string_view room, const hub::Position& position, hub::Draft&& draft,
               hub::Ticket ticket) override;
  void clear(std::string_view room, hub::Ticket ticket) override;
  [[nodiscard]] bool may_refuse_publishes() const override { return false; }
  /// Keeps no past: the hub never asks.
  void read(std::string_view room, const hub::Position& after, std::size_t messages_max,
            std::size_t bytes_max, hub::Ticket ticket) override;
  void read_back(std::string_view room, const hub::Position& before, std::size_t messages,
                 std::size_t messages_max, std::size_t bytes_max, hub::Ticket ticket) override;

 private:
  // A room's name, and the last position given.
  using Logs = base::NameMap<hub::Position>;

  Logs::Entry& log_of(std::string_view room);
  /// Passes on an amendment of a message; refuses it if there never was one at its position.
  void amend(std::string_view room, hub::Amendment&& amendment, hub::Ticket ticket);

  const base::Clock& clock_;
  hub::EngineEvents* events_ = nullptr;
  Logs logs_;
  Logs::Entry* last_used_ = nullptr;  // in logs_
};

}  // namespace roomcast::engine

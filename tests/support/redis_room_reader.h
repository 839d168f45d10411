#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "hub/engine.h"
#include "hub/lineage.h"

namespace roomcast::test {

/// What one node is told of its rooms, and what of it can't be: a message that does not follow the one before
/// without a gap, a publish that is answered twice.
struct RedisRoomReader final : hub::EngineEvents {
  struct Room {
    hub::Position top;
    hub::Lineage lineage;
    std::map<std::uint64_t, std::string> got;  ///< what stands in the log, as far as it was told
    int gaps = 0;                              ///< the log has gone on without what this node had
    int lost = 0;                              ///< on_lost
  };

  void on_subscribed(std::string_view name, const hub::LogState& log) override {
    Room& room = rooms[std::string(name)];
    room.top = log.top;
    room.lineage = log.lineage;
  }
  void on_subscribe_refused(std::string_view /*room*/, const hub::Refusal& /*refusal*/) override {
    FAIL_CHECK("a subscription was refused");
  }
  void on_message(std::string_view name, hub::Message&& message) override {
    Room& room = rooms[std::string(name)];
    if (message.position != hub::Position{room.top.epoch, room.top.offset + 1}) ++holes;
    room.top = message.position;
    room.got[room.top.offset] = std::string(message.payload.view());
    ++messages;
  }
  void on_amended(std::string_view /*room*/, hub::Amendment&& /*amendment*/) override {}
  void on_lost(std::string_view name) override { ++rooms[std::string(name)].lost; }
  void on_resumed(std::string_view name, const hub::LogState& log) override {
    Room& room = rooms[std::string(name)];
    const auto common = log.lineage.last_common(log.top, room.lineage, room.top);
    if (common != room.top.offset || log.top.offset != room.top.offset) {
      ++room.gaps;
      ++gaps;
    }
    room.got.erase(room.got.upper_bound(common.value_or(0)), room.got.end());
    room.top = log.top;
    room.lineage = log.lineage;
  }
  void on_published(hub::Ticket ticket, const hub::PublishOutcome& outcome) override {
    if (!outcome) {
      ++refused;
      last_refusal = std::string(outcome.error().message);
    } else if (!answered.emplace(ticket, outcome->position).second) {
      FAIL_CHECK("a publish was answered twice");
    }
    ++outcomes;
  }
  void on_page(hub::Ticket /*ticket*/, hub::ReadOutcome&& /*outcome*/) override {}

  [[nodiscard]] const Room& room(const std::string& name) const { return rooms.at(name); }

  std::map<std::string, Room, std::less<>> rooms;
  std::map<hub::Ticket, hub::Position> answered;
  std::string last_refusal;
  std::size_t outcomes = 0;
  std::size_t messages = 0;
  int refused = 0;
  int holes = 0;
  int gaps = 0;
};

}  // namespace roomcast::test

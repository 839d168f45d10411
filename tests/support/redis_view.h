#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "engine/redis_batch.h"
#include "hub/engine.h"
#include "support/fake_redis.h"

namespace roomcast::test {

using RedisPlace = std::pair<std::string, std::pair<std::uint64_t, std::uint64_t>>;

/// What all nodes have seen of all places.
struct RedisLedger {
  /// False if the place has another message.
  bool add(std::string_view room, const hub::Position& position, const std::string& payload) {
    const auto& [entry, is_new] =
        places.try_emplace({std::string(room), {position.epoch, position.offset}}, payload);
    return is_new || entry->second == payload;
  }
  std::map<RedisPlace, std::string> places;
};

/// Keeps what a node has been told of each room, as a hub whose members stay would.
struct RedisView final : hub::EngineEvents {
  struct Room {
    bool is_told = false;
    hub::Position top;
    hub::Lineage lineage;
    std::uint64_t start = 0;                    // all after it was delivered, or told to be missing
    std::map<std::uint64_t, std::string> have;  // by offset
    std::set<std::uint64_t> missing;            // told to be read, or to be a gap
  };

  explicit RedisView(RedisLedger& ledger_) : ledger(ledger_) {}

  void on_subscribed(std::string_view name, const hub::LogState& log) override {
    Room& room = of(name);
    room = {};
    room.is_told = true;
    room.top = log.top;
    room.lineage = log.lineage;
    room.start = log.top.offset;
  }
  void on_subscribe_refused(std::string_view /*room*/, const hub::Refusal& /*refusal*/) override {}
  void on_message(std::string_view name, hub::Message&& message) override {
    Room& room = of(name);
    const hub::Position& position = message.position;
    is_sound = is_sound && room.is_told && position.epoch == room.top.epoch;
    is_sound = is_sound && position.offset == room.top.offset + 1;
    room.top = position;
    const std::string payload = message.is_removed ? "removed" : std::string(message.payload.view());
    room.have[position.offset] = payload;
    // One that was replaced before it came is another one in the same place.
    if (!message.is_removed && payload != "instead")
      is_unique = ledger.add(name, position, payload) && is_unique;
  }
  void on_amended(std::string_view name, hub::Amendment&& amendment) override {
    Room& room = of(name);
    const std::uint64_t offset = amendment.message.position.offset;
    is_sound = is_sound && room.lineage.has(amendment.message.position, room.top);
    for (auto& [at, payload] : room.have) {
      const bool is_about = amendment.what == hub::Amendment::What::cleared ? at <= offset : at == offset;
      if (!is_about || payload == "removed") continue;
      payload = amendment.what == hub::Amendment::What::replaced
                    ? std::string(amendment.message.payload.view())
                    : "removed";
    }
  }
  void on_lost(std::string_view /*room*/) override {}
  void on_resumed(std::string_view name, const hub::LogState& log) override {
    Room& room = of(name);
    const auto common = log.lineage.last_common(log.top, room.lineage, room.top);
    const std::uint64_t kept = common.value_or(0);
    if (kept < room.top.offset) ++losses;
    room.have.erase(room.have.upper_bound(kept), room.have.end());
    room.missing.erase(room.missing.upper_bound(kept), room.missing.end());
    if (!common) {
      room.have.clear();
      room.missing.clear();
      room.start = log.top.offset;
    }
    for (std::uint64_t at = std::max(kept, room.start) + 1; at <= log.top.offset; ++at) {
      if (room.have.count(at) == 0) room.missing.insert(at);
    }
    room.start = std::min(room.start, log.top.offset);
    room.top = log.top;
    room.lineage = log.lineage;
  }
  void on_published(hub::Ticket ticket, const hub::PublishOutcome& outcome) override {
    is_sound = is_sound && asked.count(ticket) == 1 && outcomes.emplace(ticket, outcome).second;
    if (!outcome || outcome->is_duplicate) return;
    const auto& [room, payload] = asked.at(ticket);
    if (!payload.empty()) is_unique = ledger.add(room, outcome->position, payload) && is_unique;
  }
  void on_page(hub::Ticket /*ticket*/, hub::ReadOutcome&& /*outcome*/) override {}

  Room& of(std::string_view name) { return room_views[std::string(name)]; }

  RedisLedger& ledger;
  std::map<std::string, Room> room_views;
  std::map<hub::Ticket, std::pair<std::string, std::string>> asked;  // room and payload; empty: an amendment
  std::map<hub::Ticket, hub::PublishOutcome> outcomes;
  std::size_t losses = 0;  // times that something was told to be lost that had been told
  bool is_sound = true;
  bool is_unique = true;
};

}  // namespace roomcast::test

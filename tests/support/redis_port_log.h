#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/redis_port.h"

namespace roomcast::test {

/// What a port tells its listener.
struct RedisPortLog final : engine::RedisPort::Listener {
  std::vector<std::string> lines;  ///< of rooms and calls
  engine::RedisPartitionSet calls;
  engine::RedisPartitionSet pushes;
  std::size_t calls_lost = 0;   ///< how often they could not be made any more, by partition
  std::size_t pushes_lost = 0;  ///< the same

  [[nodiscard]] bool has(std::string_view line) const {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }

  void on_calls(engine::RedisPartition partition, bool are_possible) override {
    calls_lost += are_possible ? 0 : 1;
    calls.set(partition, are_possible);
  }
  void on_pushes(engine::RedisPartition partition, bool are_possible) override {
    pushes_lost += are_possible ? 0 : 1;
    pushes.set(partition, are_possible);
  }
  void on_room_subscribed(std::string_view room) override {
    lines.push_back("subscribed " + std::string(room));
  }
  void on_push(std::string_view room, std::string_view bytes) override {
    lines.push_back("push " + std::string(room) + " " + std::string(bytes));
  }
  void on_call_published(engine::RedisCallId call,
                         base::Result<engine::RedisPublished, engine::RedisFault>&& outcome) override {
    lines.push_back(std::to_string(call) + (outcome ? " at " + std::to_string(outcome->last.offset)
                                                    : " " + name_of(outcome.error().code)));
  }
  void on_call_synced(engine::RedisCallId call,
                      base::Result<engine::RedisLogState, engine::RedisFault>&& outcome) override {
    lines.push_back(std::to_string(call) + (outcome ? " synced" : " " + name_of(outcome.error().code)));
  }
  void on_call_presence(engine::RedisCallId call,
                        base::Result<engine::RedisPresenceAnswer, engine::RedisFault>&& outcome) override {
    std::string line = std::to_string(call) + " presence";
    if (!outcome) line += ' ' + name_of(outcome.error().code);
    for (const std::string_view text : outcome ? *outcome : engine::RedisPresenceAnswer())
      line.append(" ").append(text);
    lines.push_back(std::move(line));
  }

 private:
  static std::string name_of(engine::RedisFault::Code code) {
    using Code = engine::RedisFault::Code;
    switch (code) {
      case Code::stale:
        return "stale";
      case Code::no_script:
        return "no script";
      case Code::out_of_memory:
        return "out of memory";
      case Code::not_primary:
        return "not primary";
      case Code::refused:
        return "refused";
      case Code::lost:
        return "lost";
      case Code::garbled:
        return "garbled";
      default:
        return "another fault";
    }
  }
};

}  // namespace roomcast::test

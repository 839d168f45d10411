#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "load/crowd.h"
#include "load/poller.h"
#include "load/target.h"

namespace roomcast::bench {

/// One WebSocket that publishes numbered messages into a room, the first with the number 0. What the room
/// sends it is read and not counted.
class Publisher final : private CrowdListener {
 public:
  /// The poller and the target have to outlive it.
  Publisher(Poller& poller, const Target& target, std::string path, std::size_t message_bytes);

  /// One client, to be opened before anything is published.
  [[nodiscard]] Crowd& crowd() { return crowd_; }
  [[nodiscard]] bool is_open() const { return crowd_.open() == 1; }
  /// 1 when it was not let in, or cut off.
  [[nodiscard]] std::uint64_t refused() const { return crowd_.refused() + crowd_.cut(); }
  /// The next message, stamped with this moment. Only while open.
  void publish();
  [[nodiscard]] std::uint32_t published() const { return stamp_.number; }

  /// Pings and waits for the pong: then a server with one loop has done what came before it. False when the
  /// deadline came first.
  bool wait_for_pong(std::int64_t deadline_ns);

 private:
  void on_pong(Client& client) override;

  Poller& poller_;
  std::string message_;
  Stamp stamp_;
  bool pong_ = false;
  Crowd crowd_;
};

}  // namespace roomcast::bench

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "load/crowd.h"
#include "load/http_body.h"
#include "load/latency.h"
#include "load/link.h"
#include "load/poller.h"
#include "load/target.h"
#include "load/tls_client.h"

namespace roomcast::bench {

/// What an innocent client has gone through. Latencies run from when something was due, and all that came due
/// meanwhile counts as well, so that a server that stood still pays for all that it kept waiting.
struct Experience {
  Latency latency;
  std::uint64_t harmed = 0;  ///< connections that were refused or ended, answers that were not 200, losses
  std::string complaint{};   ///< the first of them
};

/// GET /healthz every 5 ms, one at a time: on one connection that is kept, or each on a new one.
class HealthChecks final : private Pollable {
 public:
  /// Both have to outlive it. The first is due now.
  HealthChecks(Poller& poller, const Target& target, bool fresh_connections);
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;
  ~HealthChecks() = default;

  /// Asks when it is time to; to be called often.
  void act(std::int64_t now);
  /// When `act` has something to do, if nothing comes before.
  [[nodiscard]] std::int64_t next_ns() const;
  /// Starts anew: forgets what was, and the next one is due now. Not to be called while one is waited for.
  void begin(std::int64_t now);
  /// Asks nothing more.
  void stop();
  /// One has been asked and not answered.
  [[nodiscard]] bool waits() const { return state_ != State::closed && state_ != State::idle; }
  /// What is waited for counts as if it came now.
  [[nodiscard]] Experience experience(std::int64_t now) const;

 private:
  enum class State { closed, connecting, asked, idle };
  void on_ready(std::uint32_t events) override;
  void send();
  void read();
  void take(std::string_view bytes);
  void answered(int status);
  void harm(const std::string& what);
  /// Adds what was asked, and each that would have been asked meanwhile. Gives when the next one is due.
  std::int64_t add_all_due(Latency& latency, std::int64_t now) const;

  Poller& poller_;
  const Target& target_;
  bool fresh_connections_;
  std::unique_ptr<TlsClient> tls_;
  Link link_;
  State state_ = State::closed;
  bool asks_ = true;
  std::string head_;
  std::optional<HttpBody> body_;  ///< of the answer whose head has been read
  int status_ = 0;
  std::int64_t due_ns_ = 0;
  std::int64_t not_before_ns_ = 0;  ///< a client that was harmed waits a little before it comes back
  Experience experience_;
};

/// A publisher that sends a message every 20 ms, whatever became of the last one, and a subscriber in the
/// same room, both over WebSocket.
class RoomTalk final : private CrowdListener {
 public:
  /// Both have to outlive it. Connects at once; nothing is sent before `begin`.
  RoomTalk(Poller& poller, const Target& target);

  [[nodiscard]] bool is_open() const { return crowd_.open() == 2; }
  void act(std::int64_t now);
  [[nodiscard]] std::int64_t next_ns() const;
  void begin(std::int64_t now);
  void stop();
  /// Messages have been sent and not come yet.
  [[nodiscard]] bool waits() const { return !due_.empty(); }
  /// What is waited for counts as lost, and for the latency as if it came now.
  [[nodiscard]] Experience experience(std::int64_t now) const;

 private:
  void on_message(Client& client, const std::optional<Stamp>& stamp) override;
  void on_closed(Client& client, Ended ended) override;

  std::string message_;
  std::uint32_t number_ = 0;  ///< of the next message
  std::vector<Stamp> due_;    ///< those on their way
  std::int64_t due_ns_ = 0;
  bool talks_ = false;
  std::vector<std::pair<std::size_t, std::int64_t>> to_come_back_;  ///< clients that connect again, and when
  Experience experience_;
  Crowd crowd_;  ///< the publisher, the subscriber
};

}  // namespace roomcast::bench

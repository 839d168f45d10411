#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "load/crowd.h"
#include "load/latency.h"
#include "load/poller.h"
#include "load/stamp.h"
#include "load/target.h"

namespace roomcast::bench {

/// Something small that is asked of the server again and again, one at a time, at a fixed pace. Its latency
/// runs from when it was due, so that a server that stood still pays for all that should have come meanwhile.
class Probe : protected CrowdListener {
 public:
  /// On a connection of its own to `path`.
  Probe(Poller& poller, const Target& target, const char* path);
  virtual ~Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  [[nodiscard]] Crowd& crowd() { return crowd_; }
  /// The first is due now.
  void begin(std::int64_t interval_ns);
  /// Asks when it is time to and the last one has been answered.
  void ask_when_due();
  /// Until when nothing is to be asked.
  [[nodiscard]] std::int64_t next_ns() const;

  [[nodiscard]] const Latency& latency() const { return latency_; }
  [[nodiscard]] std::uint64_t answered() const { return latency_.count(); }
  /// One is asked and not answered.
  [[nodiscard]] bool waits() const { return waits_; }
  /// 1 when its connection was refused or cut, or never answered; then nothing more is asked.
  [[nodiscard]] std::uint64_t refused() const { return crowd_.refused() + crowd_.cut() + (waits_ ? 1 : 0); }

 protected:
  virtual void ask(Crowd& crowd) = 0;
  void answered_now();
  void on_closed(Client& client, Ended ended) override;

 private:
  std::int64_t interval_ns_ = 0;
  std::int64_t due_ns_ = 0;
  bool waits_ = false;
  Latency latency_;
  Crowd crowd_;
};

/// A message to /echo and back.
class EchoProbe final : public Probe {
 public:
  EchoProbe(Poller& poller, const Target& target, std::size_t message_bytes);

 private:
  void ask(Crowd& crowd) override;
  void on_message(Client& client, const std::optional<Stamp>& stamp) override;

  std::string message_;
  Stamp stamp_;
};

/// A WebSocket ping and its pong.
class PingProbe final : public Probe {
 public:
  PingProbe(Poller& poller, const Target& target);

 private:
  void ask(Crowd& crowd) override;
  void on_pong(Client& client) override;
};

/// A new connection up to the 101; then it is gone again.
class ConnectProbe final : public Probe {
 public:
  ConnectProbe(Poller& poller, const Target& target);

 private:
  void ask(Crowd& crowd) override;
  void on_open(Client& client) override;
};

}  // namespace roomcast::bench

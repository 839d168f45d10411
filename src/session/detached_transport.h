#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "session/transport.h"

namespace roomcast::session {

/// How long a session may be without a connection, and how much may be queued for it meanwhile.
struct DetachLimits {
  std::int64_t ms = 0;
  std::size_t bytes = 0;  ///< wire bytes
};

/// Stands in for a transport while a session has no connection, as between two polls. It queues what is sent,
/// for the transport that replaces it. Past DetachLimits::bytes it closes with slow_consumer, after
/// DetachLimits::ms with connection_lost.
class DetachedTransport final : public Transport, private base::Deadline::Listener, private base::TurnTask {
 public:
  /// `framing` and `peer_address`: of the transport that is replaced.
  DetachedTransport(base::Scheduler& scheduler, base::Deadlines& deadlines, const DetachLimits& limits,
                    const Framing& framing, std::string_view peer_address);
  ~DetachedTransport() override;

  void start(TransportEvents& events) override;
  [[nodiscard]] const Framing& framing() const override { return framing_; }
  [[nodiscard]] std::string_view name() const override { return "detached"; }
  void send(const base::Bytes& wire) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return queued_bytes_; }
  /// Called only while nothing is queued: nothing leaves before the next transport.
  void notify_when_drained() override;
  void pause() override {}
  void resume() override {}
  void close(base::CloseReason reason, std::string_view text) override;
  void abort() override;
  [[nodiscard]] bool hand_over(std::vector<base::Bytes>& unsent) override;
  void shed() override { close(base::CloseReason::slow_consumer, {}); }
  [[nodiscard]] std::string_view peer_address() const override { return peer_address_; }
  [[nodiscard]] Traffic traffic() const override { return {}; }
  [[nodiscard]] std::uint16_t close_code() const override { return 0; }

 private:
  enum class State : std::uint8_t { open, closing, closed };
  void on_deadline() override;
  void run_at_turn_end() override;

  base::Scheduler& scheduler_;
  const Framing& framing_;
  DetachLimits limits_;
  std::string peer_address_;
  TransportEvents* events_ = nullptr;
  std::vector<base::Bytes> queue_;
  std::size_t queued_bytes_ = 0;
  State state_ = State::open;
  bool drained_wanted_ = false;
  base::CloseReason reason_ = base::CloseReason::connection_lost;
  base::Deadline deadline_;
};

}  // namespace roomcast::session

#pragma once

#include <memory>

#include "config/config.h"
#include "part/context.h"
#include "transport/poll_join.h"
#include "transport/polls.h"

namespace roomcast::transport {

[[nodiscard]] PollSettings poll_settings(const config::Config& config);

/// Polls: the transport of rooms for clients that ask for none.
class PollPart final : public part::Part {
 public:
  explicit PollPart(const part::Context& context);

  void add_transports(part::RoomTransports& transports) override;
  void apply(const config::Config& config) override;
  void collect(metrics::Exposition& out) const override;
  void reconsider_clients(const part::ClientCheck& also) override { polls_.reconsider(also); }
  [[nodiscard]] std::size_t clients() const override { return polls_.size(); }
  std::size_t close_some(std::size_t count) override { return polls_.close_some(count); }
  void abort_all() override { polls_.abort_all(); }

 private:
  Polls polls_;
  PollJoin join_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_poll(const part::Context& context);

}  // namespace roomcast::transport

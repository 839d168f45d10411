#include "transport/poll_part.h"

#include <cstdint>

#include "part/transport_metrics.h"

namespace roomcast::transport {

PollSettings poll_settings(const config::Config& config) {
  return {config.http.poll_wait_ms, config.http.compression, config.auth.leeway_ms};
}

PollPart::PollPart(const part::Context& context)
    : polls_({context.rooms, context.scheduler, context.deadlines, context.clock, context.responses,
              context.dialects.list_items, context.compressing},
             poll_settings(context.config)),
      join_(polls_) {}

void PollPart::add_transports(part::RoomTransports& transports) {
  part::RoomTransport transport{"poll", &join_, "application/json"};
  transport.is_default = true;
  transports.push_back(transport);
}

void PollPart::apply(const config::Config& config) { polls_.set_settings(poll_settings(config)); }

void PollPart::collect(metrics::Exposition& out) const {
  const auto count = static_cast<std::int64_t>(polls_.size());
  part::TransportMetrics shared(out);
  shared.connections("http", -count);  // each is counted there as well
  shared.connections("poll", count);
}

std::unique_ptr<part::Part> make_poll(const part::Context& context) {
  return std::make_unique<PollPart>(context);
}

}  // namespace roomcast::transport

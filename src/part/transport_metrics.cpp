#include "part/transport_metrics.h"

namespace roomcast::part {

void TransportMetrics::connections(std::string_view use, std::int64_t count) {
  out_.gauge("roomcast_connections", "Connections that are open, by how they are used.");
  out_.add({{"transport", use}}, count);
}

void TransportMetrics::queued(std::size_t bytes) {
  out_.gauge("roomcast_queued_bytes", "Bytes waiting for clients to take them.");
  out_.add({}, static_cast<std::int64_t>(bytes));
}

void TransportMetrics::sent(std::string_view transport, std::uint64_t bytes) {
  out_.counter("roomcast_sent_bytes_total", "Bytes sent to clients, framing included, by transport.");
  out_.sample({{"transport", transport}}, bytes);
}

}  // namespace roomcast::part

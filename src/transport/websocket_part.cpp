#include "transport/websocket_part.h"

#include <cstddef>
#include <cstdint>

#include "part/settings.h"
#include "part/transport_metrics.h"

namespace roomcast::transport {

namespace {

// For what surrounds a payload: type, room, id.
constexpr std::uint64_t envelope_bytes = 4096;

std::optional<ws::DeflatePolicy> deflate_policy(const config::Config& config) {
  if (!config.websocket.compression) return std::nullopt;
  return ws::DeflatePolicy{};
}

}  // namespace

WebSocketSettings websocket_settings(const config::Config& config) {
  WebSocketSettings settings{};
  settings.ping_ms = config.websocket.ping_ms;
  settings.pong_timeout_ms = config.websocket.pong_timeout_ms;
  settings.close_timeout_ms = config.websocket.close_timeout_ms;
  settings.message_timeout_ms = config.websocket.message_timeout_ms;
  settings.queue_bytes = part::client_queue_bytes(config);
  settings.reader.message_bytes = config.limits.message_bytes;
  settings.reader.fragments = static_cast<std::uint32_t>(config.limits.fragments);
  settings.enveloped_reader = settings.reader;
  // Room for escapes or base64, and for what surrounds the payload.
  settings.enveloped_reader.message_bytes = 2 * config.limits.message_bytes + envelope_bytes;
  return settings;
}

WebSocketPart::WebSocketPart(const part::Context& context)
    : framings_(static_cast<int>(context.config.websocket.compression_level),
                static_cast<std::size_t>(context.config.websocket.compression_min_bytes),
                context.compressing),
      shared_(context.scheduler, context.deadlines, context.linger, framings_,
              websocket_settings(context.config)),
      join_(shared_, context.sessions, context.dialects.for_room(), WebSocketUpgrade::Rooms::from_path,
            deflate_policy(context.config)),
      connect_(shared_, context.sessions, context.dialects.for_many_rooms(), WebSocketUpgrade::Rooms::none,
               deflate_policy(context.config)) {
  if (!context.config.echo.enabled) return;
  const dialect::Dialect* const echo = &context.dialects.echo;
  echo_.emplace(shared_, context.sessions, session::DialectChoices{{{"roomcast.raw.v1", echo}}, echo},
                WebSocketUpgrade::Rooms::none, deflate_policy(context.config));
}

void WebSocketPart::add_routes(part::Routes& routes) {
  routes.add({http::Method::get}, "/connect", http::Access::clients, connect_);
  if (echo_) routes.add({http::Method::get}, "/echo", http::Access::origin, *echo_);
}

void WebSocketPart::add_transports(part::RoomTransports& transports) {
  part::RoomTransport transport{"websocket", &join_};
  transport.upgrade = "websocket";
  transports.push_back(transport);
}

void WebSocketPart::apply(const config::Config& config) { shared_.settings = websocket_settings(config); }

void WebSocketPart::collect(metrics::Exposition& out) const {
  const WebSocketStats& stats = shared_.stats;
  out.single_counter("roomcast_messages_received_total", "Messages received over WebSocket.",
                     stats.messages_in);
  out.single_counter("roomcast_received_payload_bytes_total", "Payload bytes received over WebSocket.",
                     stats.payload_bytes_in);
  part::TransportMetrics shared(out);
  shared.connections("websocket", static_cast<std::int64_t>(stats.open));
  shared.queued(stats.queued_bytes);
  shared.sent("websocket", stats.wire_bytes_out);
}

std::unique_ptr<part::Part> make_websocket(const part::Context& context) {
  return std::make_unique<WebSocketPart>(context);
}

}  // namespace roomcast::transport

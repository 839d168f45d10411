#include "app/part_settings.h"

#include <cstddef>
#include <cstdint>

#include "app/room_rules.h"

namespace roomcast::app {

namespace {

constexpr std::uint64_t envelope_bytes = 4096;

}  // namespace

http::ParserLimits parser_limits(const config::Config& config) {
  http::ParserLimits limits;
  limits.header_bytes = static_cast<std::size_t>(config.limits.header_bytes);
  limits.header_count = static_cast<std::size_t>(config.limits.header_count);
  limits.uri_bytes = static_cast<std::size_t>(config.limits.uri_bytes);
  limits.body_bytes = static_cast<std::size_t>(config.limits.body_bytes);
  return limits;
}

http::ConnectionSettings connection_settings(const config::Config& config) {
  http::ConnectionSettings settings;
  settings.head_ms = config.http.head_timeout_ms;
  settings.body_ms = config.http.body_timeout_ms;
  settings.idle_ms = config.http.idle_timeout_ms;
  return settings;
}

transport::WebSocketSettings websocket_settings(const config::Config& config) {
  transport::WebSocketSettings settings;
  settings.ping_ms = config.websocket.ping_ms;
  settings.pong_timeout_ms = config.websocket.pong_timeout_ms;
  settings.close_timeout_ms = config.websocket.close_timeout_ms;
  settings.message_timeout_ms = config.websocket.message_timeout_ms;
  settings.queue_bytes = client_queue_bytes(config);
  settings.reader.message_bytes = config.limits.message_bytes;
  settings.reader.fragments = static_cast<std::uint32_t>(config.limits.fragments);
  settings.enveloped_reader = settings.reader;
  // Room for escapes or base64, and for what stands around the payload.
  settings.enveloped_reader.message_bytes = 2 * config.limits.message_bytes + envelope_bytes;
  return settings;
}

session::SessionSettings session_settings(const config::Config& config) {
  session::SessionSettings settings;
  settings.ping_ms = config.websocket.ping_ms;
  settings.rooms_per_connection = static_cast<std::size_t>(config.limits.rooms_per_connection);
  settings.drain_ms = config.drain_ms;
  return settings;
}

transport::HttpStreamSettings stream_settings(const config::Config& config) {
  transport::HttpStreamSettings settings;
  settings.heartbeat_ms = config.websocket.ping_ms;
  settings.close_timeout_ms = config.websocket.close_timeout_ms;
  settings.queue_bytes = client_queue_bytes(config);
  settings.compression = config.http.compression;
  return settings;
}

transport::PollSettings poll_settings(const config::Config& config) {
  return {config.http.poll_wait_ms, config.http.compression};
}

service::Limits service_limits(const config::Config& config) {
  return {config.limits.message_bytes, config.limits.json_depth};
}

api::BatchLimits batch_limits(const config::Config& config) {
  return {config.limits.batch_messages, config.limits.batch_bytes};
}

}  // namespace roomcast::app

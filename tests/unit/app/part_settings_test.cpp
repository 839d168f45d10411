#include "app/part_settings.h"

#include <doctest/doctest.h>

#include "app/room_rules.h"
#include "hub/hub.h"
#include "hub/room_settings.h"

namespace part_settings_test {

using namespace roomcast;

// What a part does before it is told is what the reference promises: no default stands in two places that
// differ.

TEST_CASE("part settings: a parser's own limits are the configuration's defaults") {
  const http::ParserLimits own;
  const http::ParserLimits told = app::parser_limits({});
  CHECK(own.header_bytes == told.header_bytes);
  CHECK(own.header_count == told.header_count);
  CHECK(own.uri_bytes == told.uri_bytes);
  CHECK(own.body_bytes == told.body_bytes);
}

TEST_CASE("part settings: a connection's") {
  const http::ConnectionSettings own;
  const http::ConnectionSettings told = app::connection_settings({});
  CHECK(own.head_ms == told.head_ms);
  CHECK(own.body_ms == told.body_ms);
  CHECK(own.idle_ms == told.idle_ms);
}

TEST_CASE("part settings: a WebSocket client's") {
  const transport::WebSocketSettings own;
  const transport::WebSocketSettings told = app::websocket_settings({});
  CHECK(own.ping_ms == told.ping_ms);
  CHECK(own.pong_timeout_ms == told.pong_timeout_ms);
  CHECK(own.close_timeout_ms == told.close_timeout_ms);
  CHECK(own.message_timeout_ms == told.message_timeout_ms);
  CHECK(own.queue_bytes == told.queue_bytes);
  CHECK(own.reader.message_bytes == told.reader.message_bytes);
  CHECK(own.reader.fragments == told.reader.fragments);
}

TEST_CASE("part settings: a session's, a stream's, a poll's") {
  const session::SessionSettings session;
  CHECK(session.ping_ms == app::session_settings({}).ping_ms);
  CHECK(session.rooms_per_connection == app::session_settings({}).rooms_per_connection);
  CHECK(session.drain_ms == app::session_settings({}).drain_ms);
  const transport::HttpStreamSettings stream;
  CHECK(stream.heartbeat_ms == app::stream_settings({}).heartbeat_ms);
  CHECK(stream.close_timeout_ms == app::stream_settings({}).close_timeout_ms);
  CHECK(stream.queue_bytes == app::stream_settings({}).queue_bytes);
  CHECK(stream.compression == app::stream_settings({}).compression);
  CHECK(transport::PollSettings().wait_ms == app::poll_settings({}).wait_ms);
  CHECK(transport::PollSettings().compression == app::poll_settings({}).compression);
}

TEST_CASE("part settings: a batch's, a room's, the hub's") {
  const api::BatchLimits batch;
  CHECK(service::Limits().message_bytes == app::service_limits({}).message_bytes);
  CHECK(service::Limits().json_depth == app::service_limits({}).json_depth);
  CHECK(batch.messages == app::batch_limits({}).messages);
  CHECK(batch.bytes == app::batch_limits({}).bytes);
  CHECK(hub::RoomSettings() == app::room_rules({}).find("lobby"));
  CHECK(hub::HubLimits().history_bytes == app::hub_limits({}).history_bytes);
  CHECK(hub::HubLimits().room_bytes == app::hub_limits({}).room_bytes);
  CHECK(hub::HubLimits().page_bytes == app::hub_limits({}).page_bytes);
}

}  // namespace part_settings_test

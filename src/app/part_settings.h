#pragma once

#include "api/batch_request.h"
#include "config/config.h"
#include "http/limits.h"
#include "service/checks.h"
#include "session/session_table.h"
#include "transport/http_stream.h"
#include "transport/polls.h"
#include "transport/websocket.h"

namespace roomcast::app {

// What the configuration means to each part. The values that a part has before it is told are for its tests
// only, and those of config::Config again: tests/unit/app/part_settings_test.cpp holds one against the other.

[[nodiscard]] http::ParserLimits parser_limits(const config::Config& config);
[[nodiscard]] http::ConnectionSettings connection_settings(const config::Config& config);
[[nodiscard]] transport::WebSocketSettings websocket_settings(const config::Config& config);
[[nodiscard]] session::SessionSettings session_settings(const config::Config& config);
[[nodiscard]] transport::HttpStreamSettings stream_settings(const config::Config& config);
[[nodiscard]] transport::PollSettings poll_settings(const config::Config& config);
[[nodiscard]] service::Limits service_limits(const config::Config& config);
[[nodiscard]] api::BatchLimits batch_limits(const config::Config& config);

}  // namespace roomcast::app

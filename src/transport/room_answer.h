#pragma once

#include "auth/origin.h"
#include "http/message.h"

namespace roomcast::transport {

/// Adds what every HTTP answer about a room says, errors too: that it must not be kept (Cache-Control), on
/// what of the request it depends (Vary), and which other origin's page may read it (CORS).
void add_room_fields(http::Headers& headers, const auth::OriginDecision& origin);

}  // namespace roomcast::transport

#pragma once

#include "http/message.h"

namespace roomcast::transport {

/// Adds what every HTTP answer about a room says, errors too: that it must not be kept (Cache-Control), and
/// on what of the request it depends (Vary).
void add_room_fields(http::Headers& headers);

}  // namespace roomcast::transport

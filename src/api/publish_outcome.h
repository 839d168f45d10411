#pragma once

#include <string>
#include <string_view>

#include "service/rooms.h"

namespace roomcast::api {

/// Appends `{"room","cursor","subscribers"}`, with `"duplicate":true` if the message was there already.
void append_receipt(std::string& out, std::string_view room, const hub::Receipt& receipt);

}  // namespace roomcast::api

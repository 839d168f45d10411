#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "http/message.h"
#include "hub/message.h"
#include "service/rooms.h"

namespace roomcast::api {

/// What Content-Type says of the body: the media type alone, without parameters and in lower case (RFC 9110
/// section 8.3.1). Empty if there is none.
[[nodiscard]] std::string media_type(const http::Request& request);

/// Whether `type`, as media_type gives it, is JSON: application/json, or a type whose suffix says that it is
/// written in JSON (RFC 6839 section 3.1), such as application/cloudevents+json.
[[nodiscard]] bool is_json(std::string_view type);

/// What kind of message the body is, by its media type.
[[nodiscard]] hub::Kind kind_of_body(const http::Request& request);

/// Why the body's coding can't be taken, if so.
[[nodiscard]] std::optional<base::Refusal> check_encoding(const http::Request& request);

/// Appends `{"room","cursor","subscribers"}`, with `"duplicate":true` if the message was there already, and
/// `"durable":true` if it is on the disk.
void append_receipt(std::string& out, std::string_view room, const hub::Receipt& receipt);

}  // namespace roomcast::api

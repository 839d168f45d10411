#pragma once

#include "http/message.h"
#include "part/routes.h"

namespace roomcast::transport {

/// Which of `transports` answers `GET /rooms/{room}`: the one whose upgrade the client asks for; else the one
/// that `?transport=` names, for tools that can't set fields; else by Accept (RFC 9110 section 12.5.1) the
/// one whose media type has the highest weight, the earlier of equal ones, the default one last; or the
/// default one if Accept names none of them. A type with weight 0 counts as not named, a wildcard names
/// nothing. Null if
/// `?transport=` has any other value.
[[nodiscard]] const part::RoomTransport* choose(const http::Request& request,
                                                const part::RoomTransports& transports);

/// The one for requests that name none; null if there is none.
[[nodiscard]] const part::RoomTransport* default_transport(const part::RoomTransports& transports);

/// Whether the answer may be compressed with gzip (RFC 9110 section 12.5.3): the client accepts it, by name
/// or as "*", and does not like "identity" better. Not if the client says nothing.
[[nodiscard]] bool accepts_gzip(const http::Request& request);

/// Adds what every HTTP answer about a room says, errors too: that it must not be kept (Cache-Control), and
/// on what of the request it depends (Vary).
void add_room_fields(http::Headers& headers);

}  // namespace roomcast::transport

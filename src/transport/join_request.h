#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "base/result.h"
#include "http/message.h"
#include "hub/membership.h"
#include "service/rooms.h"
#include "session/session.h"

namespace roomcast::transport {

/// What a request for a room says besides the room, the same for every transport.
struct JoinRequest {
  std::string room;
  service::Caller caller;    ///< with the name of `?name=`; its address is that of the request
  bool own_messages = true;  ///< not `?echo=0`
  bool own_asked = false;    ///< `?echo=` was given
  hub::Interest interest;    ///< `Last-Event-ID` or `?since=CURSOR`, `?history=N`, `?presence=1`

  [[nodiscard]] session::Options options() const {
    session::Options options{room, caller.author.name(), own_messages, interest};
    options.identity = caller.identity;
    options.own_asked = own_asked;
    return options;
  }
};

/// `room`: nothing where the endpoint is for no room. Reads `?since=`, `?history=`, `?name=`, `?echo=` and
/// `?presence=`, and the field Last-Event-ID (WHATWG HTML, section 9.2.4). A cursor there wins over `since`:
/// an EventSource that comes back can't change its URL, so that is the older of the two. What is no cursor
/// there gives way to `since`; without one it is a cursor of a log that does not exist, for an EventSource
/// can't drop it, and gets a gap. Everything else that makes no sense is refused.
[[nodiscard]] base::Result<JoinRequest, base::Refusal> parse_join_request(
    const http::Request& request, const access::Identity& identity, std::optional<std::string_view> room);

/// The same, and refuses what service::Rooms::check_join refuses.
[[nodiscard]] base::Result<JoinRequest, base::Refusal> read_join_request(const http::Request& request,
                                                                         const access::Identity& identity,
                                                                         std::optional<std::string_view> room,
                                                                         const service::Rooms& rooms);

}  // namespace roomcast::transport

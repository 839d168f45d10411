#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "hub/membership.h"
#include "session/session_table.h"

namespace roomcast::transport {

/// What a request for a room says besides the room, the same for every transport.
struct JoinRequest {
  std::string room;
  std::string name;          ///< `?name=`: how an anonymous client wants to be called
  bool own_messages = true;  ///< not `?echo=0`
  hub::Interest interest;    ///< `?since=CURSOR` or `Last-Event-ID`, `?history=N`, `?presence=1`

  [[nodiscard]] session::Options options() const { return {room, name, own_messages, interest}; }
};

/// `room`: nothing where the endpoint is for no room. Reads `?since=`, `?history=`, `?name=`, `?echo=` and
/// `?presence=`, and the field Last-Event-ID (WHATWG HTML, section 9.2.4) where there is no `since`. A cursor
/// in Last-Event-ID that nobody can have got from here is a cursor all the same, of a log that does not
/// exist: an EventSource can't drop it, and is told of the gap. Everything else that makes no sense is an
/// error (400), or 503 when memory is short.
[[nodiscard]] base::Result<JoinRequest, http::Response> read_join_request(
    const http::Request& request, std::optional<std::string_view> room,
    const session::SessionTable& sessions);

/// The answer to a client that is not let in.
[[nodiscard, gnu::cold]] http::Response refusal(const session::Rejection& rejection);

}  // namespace roomcast::transport

#pragma once

#include "http/message.h"

namespace roomcast::transport {

/// An EventSource that gets anything but 200 with its own type never comes back (WHATWG HTML section 9.2.2);
/// of a stream that ends without an event it takes how long to wait. So where `response` refuses an event
/// stream of a room for now only (Response::is_temporary), it becomes such a stream, with what it said in a
/// comment. Everything else stays as it is: there is nothing to come back for.
void let_event_source_return(const http::Request& request, http::Response& response);

}  // namespace roomcast::transport

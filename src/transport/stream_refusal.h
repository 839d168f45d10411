#pragma once

#include "http/message.h"

namespace roomcast::transport {

/// An EventSource that gets anything but 200 with its own type never reconnects (WHATWG HTML section 9.2.2);
/// from a stream that ends without an event it takes how long to wait. So a temporary refusal of an event
/// stream (Response::is_temporary) becomes such a stream, with the error in a comment. A permanent one stays
/// as it is.
void let_event_source_return(const http::Request& request, http::Response& response);

}  // namespace roomcast::transport

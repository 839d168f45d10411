#pragma once

#include <functional>
#include <string_view>

#include "http/message.h"

namespace roomcast::http {

/// Whether a numeric address (or "unix") is a proxy whose word about the client is taken.
using TrustedProxy = std::function<bool(std::string_view address)>;

/// Who really asks. Only a trusted peer's word counts: then the right-most address of X-Forwarded-For that is
/// not itself a trusted proxy, and the scheme that stands with it in X-Forwarded-Proto (https and wss are
/// encrypted, http and ws are not); where the two lists differ in length the first scheme. Empty elements
/// say nothing, and "unix:" (a hop over a Unix socket) is passed over. Anything else that is not an address
/// ends the walk: the last good one stands. `peer_address` and `peer_secure` are what the socket says.
///
/// Forwarded (RFC 7239) is not looked at: proxies that write the X-Forwarded fields pass a client's own
/// Forwarded on as it is, so whoever believed either of the two could be lied to.
[[nodiscard]] Client resolve_client(std::string_view peer_address, bool peer_secure, const Headers& headers,
                                    const TrustedProxy& is_trusted);

}  // namespace roomcast::http

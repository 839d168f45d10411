#pragma once

#include <functional>
#include <string_view>

#include "http/message.h"

namespace roomcast::http {

/// Whether a numeric address (or "unix") is a proxy whose report of the client is trusted.
using TrustedProxy = std::function<bool(std::string_view address)>;

/// Determines the client of a request. Only reports of a trusted peer count: then the client is the
/// right-most address in X-Forwarded-For that is not a trusted proxy itself, and its scheme is the one at the
/// same place in X-Forwarded-Proto (https and wss are encrypted, http and ws are not), or if the lists differ
/// in length the first scheme. Empty elements are ignored, and "unix:" (a hop over a Unix socket) is skipped.
/// Any other element that is not an address ends the search: the last valid address counts. `peer_address`
/// and `peer_secure` are those of the socket.
///
/// Forwarded (RFC 7239) is ignored: proxies that write X-Forwarded fields pass on a client's own Forwarded
/// field unchanged, so that a server that accepts either could be deceived.
[[nodiscard]] Client resolve_client(std::string_view peer_address, bool peer_secure, const Headers& headers,
                                    const TrustedProxy& is_trusted);

}  // namespace roomcast::http

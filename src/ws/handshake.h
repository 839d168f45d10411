#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/refusal.h"
#include "base/result.h"
#include "ws/extensions.h"

namespace roomcast::ws {

/// The input of an opening handshake (RFC 6455 section 4.2.1). Field values are trimmed; repeated fields are
/// joined with ", ". Views need only be valid for the call.
struct HandshakeRequest {
  std::string_view method;
  int minor_version = 1;  ///< HTTP/1.x
  std::string_view upgrade;
  std::string_view connection;
  std::string_view key;  ///< Sec-WebSocket-Key
  std::size_t key_count = 0;
  std::string_view version;  ///< Sec-WebSocket-Version
  std::size_t version_count = 0;
  std::string_view protocols;  ///< Sec-WebSocket-Protocol
  std::size_t protocol_count = 0;
  std::string_view extensions;  ///< Sec-WebSocket-Extensions
};

struct HandshakePolicy {
  std::vector<std::string_view> subprotocols;  ///< supported by the server, in order of preference
  std::optional<DeflatePolicy> deflate;        ///< empty: no compression
};

/// Accepted: `head` is the complete 101 response, after which WebSocket frames follow.
struct HandshakeAccepted {
  std::string head;
  std::string_view subprotocol;              ///< one of the policy; empty if none was agreed on
  std::optional<DeflateParameters> deflate;  ///< if permessage-deflate was agreed on
};

/// Refused: an ordinary HTTP response is to be sent.
struct HandshakeRefused {
  base::Refusal refusal;
  std::vector<std::pair<std::string_view, std::string_view>> headers;  ///< fields that the response must have
};

/// Evaluates an opening handshake (RFC 6455 section 4.2); `sha1` may be shared. Refusals: 405 for methods
/// other than GET, 426 if no upgrade to WebSocket is requested or its version is not 13, 400 for everything
/// else.
[[nodiscard]] base::Result<HandshakeAccepted, HandshakeRefused> decide_handshake(
    const HandshakeRequest& request, const HandshakePolicy& policy, base::Sha1& sha1);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2).
[[nodiscard]] std::string accept_key(std::string_view key, base::Sha1& sha1);

}  // namespace roomcast::ws

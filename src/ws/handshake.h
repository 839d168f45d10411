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

/// What an opening handshake depends on (RFC 6455 section 4.2.1). Field values are without the space around
/// them; those that may come several times are joined with ", ". The views need only live for the call.
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
  std::vector<std::string_view> subprotocols;  ///< that the server speaks, the most wanted first
  std::optional<DeflatePolicy> deflate;        ///< nothing: no compression
};

/// Yes: `head` is the whole 101 response, and WebSocket frames follow it.
struct HandshakeAccepted {
  std::string head;
  std::string_view subprotocol;              ///< one of the policy's; empty if none was agreed on
  std::optional<DeflateParameters> deflate;  ///< if permessage-deflate was agreed on
};

/// No: an ordinary HTTP response is to be sent.
struct HandshakeRefused {
  base::Refusal refusal;
  std::vector<std::pair<std::string_view, std::string_view>> headers;  ///< that the response must carry
};

/// Decides an opening handshake (RFC 6455 section 4.2); `sha1` may be used for any number. Refusals: 405 for
/// another method than GET, 426 where no upgrade to WebSocket is asked for or its version is not 13, 400 for
/// everything else.
[[nodiscard]] base::Result<HandshakeAccepted, HandshakeRefused> decide_handshake(
    const HandshakeRequest& request, const HandshakePolicy& policy, base::Sha1& sha1);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2).
[[nodiscard]] std::string accept_key(std::string_view key, base::Sha1& sha1);

}  // namespace roomcast::ws

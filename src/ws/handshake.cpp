#include "ws/handshake.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ws/extensions.h"

namespace roomcast::ws {

namespace {

constexpr std::string_view supported_version = "13";

/// 16 bytes in base64: 22 characters and two of padding. The unused bits may have any value, as in the
/// example of RFC 6455 section 4.1.
bool is_valid_key(std::string_view key) {
  constexpr std::size_t digits = 22;
  if (key.size() != digits + 2 || key.substr(digits) != "==") return false;
  return std::all_of(key.begin(), key.begin() + digits, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
}

using Code = base::Refusal::Code;

[[gnu::cold]] HandshakeRefused refused(Code code, base::RefusalMessage message) {
  return {{code, std::move(message)}, {}};
}

[[gnu::cold]] HandshakeRefused upgrade_required(Code code, base::RefusalMessage message) {
  return {
      {code, std::move(message)},
      {{"Sec-WebSocket-Version", supported_version}, {"Upgrade", "websocket"}, {"Connection", "Upgrade"}}};
}

std::optional<HandshakeRefused> check_upgrade(const HandshakeRequest& request) {
  if (request.method != "GET") {
    return HandshakeRefused{{Code::method_not_allowed, "a WebSocket handshake is a GET request"},
                            {{"Allow", "GET"}}};
  }
  if (!base::list_has_token(request.upgrade, "websocket")) {
    return upgrade_required(Code::upgrade_required, "this address speaks WebSocket: send Upgrade: websocket");
  }
  if (request.minor_version < 1) return refused(Code::http_version, "a WebSocket handshake needs HTTP/1.1");
  if (!base::list_has_token(request.connection, "upgrade")) {
    return refused(Code::connection_header, "the Connection header must contain Upgrade");
  }
  return std::nullopt;
}

std::optional<HandshakeRefused> check_websocket_fields(const HandshakeRequest& request) {
  if (request.version_count != 1) {
    auto refusal = refused(Code::websocket_version_missing, "exactly one Sec-WebSocket-Version is needed");
    refusal.headers.emplace_back("Sec-WebSocket-Version", supported_version);
    return refusal;
  }
  if (request.version != supported_version) {
    return upgrade_required(Code::websocket_version, "Sec-WebSocket-Version must be 13");
  }
  if (request.key_count != 1) return refused(Code::websocket_key, "exactly one Sec-WebSocket-Key is needed");
  if (!is_valid_key(request.key)) {
    return refused(Code::websocket_key, "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  return std::nullopt;
}

/// The first of `supported` that `offered` contains; empty if there is none. Nothing if `offered` is not a
/// list of tokens.
std::optional<std::string_view> choose_subprotocol(std::string_view offered,
                                                   const std::vector<std::string_view>& supported) {
  auto best = supported.end();
  bool any = false;
  TokenScanner scanner(offered);
  do {
    while (scanner.take(',')) {  // empty elements are allowed (RFC 9110 section 5.6.1)
    }
    const auto token = scanner.take_token();
    if (!token) break;
    any = true;
    best = std::min(best, std::find(supported.begin(), supported.end(), *token));
  } while (scanner.take(','));
  if (!any || !scanner.at_end()) return std::nullopt;
  return best == supported.end() ? std::string_view{} : *best;
}

void append_accept_key(std::string& out, std::string_view key, base::Sha1& sha1) {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const auto digest = sha1.digest({key, guid});
  base::append_base64(out, {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

/// The complete 101 response.
std::string accepting_head(std::string_view key, std::string_view subprotocol,
                           const std::optional<DeflateAnswer>& deflate, base::Sha1& sha1) {
  constexpr std::size_t usual_bytes = 320;
  std::string head;
  head.reserve(usual_bytes);
  head =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  append_accept_key(head, key, sha1);
  if (!subprotocol.empty()) head.append("\r\nSec-WebSocket-Protocol: ").append(subprotocol);
  if (deflate) head.append("\r\nSec-WebSocket-Extensions: ").append(deflate->header_value);
  head += "\r\n\r\n";
  return head;
}

}  // namespace

std::string accept_key(std::string_view key, base::Sha1& sha1) {
  std::string accept;
  append_accept_key(accept, key, sha1);
  return accept;
}

base::Result<HandshakeAccepted, HandshakeRefused> decide_handshake(const HandshakeRequest& request,
                                                                   const HandshakePolicy& policy,
                                                                   base::Sha1& sha1) {
  if (auto refusal = check_upgrade(request)) return std::move(*refusal);
  if (auto refusal = check_websocket_fields(request)) return std::move(*refusal);

  HandshakeAccepted accepted;
  if (request.protocol_count > 0) {
    const auto chosen = choose_subprotocol(request.protocols, policy.subprotocols);
    if (!chosen) return refused(Code::websocket_protocol, "Sec-WebSocket-Protocol must be a list of tokens");
    accepted.subprotocol = *chosen;
  }
  const auto deflate =
      negotiate_deflate(request.extensions, policy.deflate ? &policy.deflate.value() : nullptr);
  if (!deflate) return refused(Code::websocket_extensions, "Sec-WebSocket-Extensions is malformed");

  if (*deflate) accepted.deflate = (*deflate)->parameters;
  accepted.head = accepting_head(request.key, accepted.subprotocol, *deflate, sha1);
  return accepted;
}

}  // namespace roomcast::ws

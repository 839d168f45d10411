// The lines of the input are the fields of a handshake. Any input leads to a decision, an accepted handshake
// has a valid response, and that contains nothing of the request but the digest of its key.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "ws/handshake.h"

using namespace roomcast::ws;

namespace {

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void check_accepted(const HandshakeAccepted& accepted, const HandshakePolicy& policy) {
  FUZZ_CHECK(accepted.head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  FUZZ_CHECK(accepted.head.ends_with("\r\n\r\n"));
  FUZZ_CHECK(accepted.head.find("\r\n\r\n") == accepted.head.size() - 4);
  for (const char c : accepted.head)
    FUZZ_CHECK(c == '\r' || c == '\n' || (c >= ' ' && c <= '~'));
  if (!accepted.subprotocol.empty()) {
    FUZZ_CHECK(accepted.subprotocol == policy.subprotocols[0] ||
               accepted.subprotocol == policy.subprotocols[1]);
  }
  if (accepted.deflate) {
    FUZZ_CHECK(accepted.deflate->server_max_window_bits >= 9 &&
               accepted.deflate->server_max_window_bits <= 15);
    FUZZ_CHECK(accepted.deflate->client_max_window_bits >= 8 &&
               accepted.deflate->client_max_window_bits <= 15);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const unsigned bits = data[0];
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  HandshakeRequest request;
  request.method = "GET";
  request.upgrade = take_line(rest);
  request.connection = take_line(rest);
  request.key = take_line(rest);
  request.key_count = 1;
  request.version = take_line(rest);
  request.version_count = 1;
  request.protocols = take_line(rest);
  request.protocol_count = bits & 1U;
  request.extensions = rest;
  HandshakePolicy policy{{"roomcast.v1", "roomcast.raw.v1"}, std::nullopt};
  if ((bits & 2U) != 0) {
    policy.deflate = DeflatePolicy{.client_context_takeover = (bits & 4U) != 0,
                                   .server_max_window_bits = (bits & 8U) != 0 ? 10 : 15,
                                   .client_max_window_bits = (bits & 16U) != 0 ? 8 : 15};
  }
  roomcast::base::Sha1 sha1;
  const auto decision = decide_handshake(request, policy, sha1);
  if (decision.ok()) {
    check_accepted(decision.value(), policy);
  } else {
    const roomcast::base::Refusal& refusal = decision.error().refusal;
    const int status = roomcast::base::describe(refusal.code).http;
    FUZZ_CHECK(status == 400 || status == 426);
    FUZZ_CHECK(!refusal.message.view().empty());
  }
  return 0;
}

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "session/transport.h"

namespace roomcast::transport {

/// One line per unit (application/x-ndjson). The payload is what the JSON dialect makes: one JSON value
/// without line breaks that says by itself what it is.
class NdjsonFraming final : public session::Framing {
 public:
  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override {
    out += payload.bytes;
    out += '\n';
    return 0;
  }
  [[nodiscard]] bool names_events() const override { return false; }
};

/// An empty line: says nothing, keeps the connection in use.
constexpr std::string_view ndjson_heartbeat = "\n";

}  // namespace roomcast::transport

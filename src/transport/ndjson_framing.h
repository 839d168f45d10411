#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "transport/stream_content.h"

namespace roomcast::transport {

/// An empty line: content without a meaning, which keeps the connection in use.
constexpr std::string_view ndjson_heartbeat = "\n";

/// One line per unit (application/x-ndjson). The payload is what the JSON dialect makes: one JSON value
/// without line breaks that says by itself what it is.
class NdjsonFraming final : public StreamContent {
 public:
  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override {
    out += payload.bytes;
    out += '\n';
    return 0;
  }
  [[nodiscard]] bool names_events() const override { return false; }
  [[nodiscard]] std::string_view name() const override { return "stream"; }
  [[nodiscard]] std::string_view media_type() const override { return "application/x-ndjson"; }
  [[nodiscard]] std::string_view heartbeat() const override { return ndjson_heartbeat; }
};

}  // namespace roomcast::transport

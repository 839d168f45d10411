#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time_budget.h"
#include "session/transport.h"
#include "ws/deflate.h"
#include "ws/extensions.h"

namespace roomcast::transport {

/// One WebSocket frame per payload, uncompressed (RFC 6455 section 5).
class PlainFraming final : public session::Framing {
 public:
  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override;
  [[nodiscard]] bool names_events() const override { return false; }
};

/// One compressed frame per payload (RFC 7692), by one compressor for all clients with the same window: each
/// message is compressed by itself (server_no_context_takeover), so that all clients get the same bytes.
/// Payloads shorter than `min_bytes` go uncompressed, and so do those of more than compressed_bytes_max, and
/// those for which there is no time (see compressing.h).
class DeflateFraming final : public session::Framing {
 public:
  DeflateFraming(const ws::DeflaterSettings& settings, std::size_t min_bytes, base::TimeBudget& compressing)
      : deflater_(settings), min_bytes_(min_bytes), compressing_(compressing) {}

  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override;
  [[nodiscard]] bool names_events() const override { return false; }

 private:
  mutable ws::Deflater deflater_;  // a workspace: its output depends on the message alone
  std::size_t min_bytes_;
  base::TimeBudget& compressing_;
};

/// All framings of WebSocket: the plain one, and one for each window size that clients have agreed on.
class WebSocketFramings {
 public:
  WebSocketFramings(int level, std::size_t min_bytes, base::TimeBudget& compressing)
      : level_(level), min_bytes_(min_bytes), compressing_(compressing) {}
  WebSocketFramings(const WebSocketFramings&) = delete;
  WebSocketFramings& operator=(const WebSocketFramings&) = delete;

  [[nodiscard]] const session::Framing& for_client(const std::optional<ws::DeflateParameters>& deflate) {
    return for_window(deflate ? deflate->server_max_window_bits : 0);
  }
  /// `bits`: of the window agreed on, 0 without compression.
  [[nodiscard]] const session::Framing& for_window(int bits);

 private:
  int level_;
  std::size_t min_bytes_;
  base::TimeBudget& compressing_;
  PlainFraming plain_;
  std::array<std::unique_ptr<DeflateFraming>, 16> by_window_bits_;
};

}  // namespace roomcast::transport

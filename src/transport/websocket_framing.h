#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "session/transport.h"
#include "ws/deflate.h"

namespace roomcast::transport {

/// One WebSocket frame per payload, uncompressed (RFC 6455 section 5).
class PlainFraming final : public session::Framing {
 public:
  void frame(dialect::Form form, std::string_view payload, std::string& out) const override;
};

/// One compressed frame per payload (RFC 7692), by one compressor for all clients with the same window: each
/// message stands for itself (server_no_context_takeover), so everybody gets the same bytes. Payloads that
/// are shorter than `min_bytes` go uncompressed.
class DeflateFraming final : public session::Framing {
 public:
  DeflateFraming(int window_bits, int level, std::size_t min_bytes);
  void frame(dialect::Form form, std::string_view payload, std::string& out) const override;

 private:
  std::size_t min_bytes_;
  std::unique_ptr<ws::Deflater> deflater_;
};

}  // namespace roomcast::transport

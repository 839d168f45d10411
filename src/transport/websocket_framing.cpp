#include "transport/websocket_framing.h"

#include "ws/frame_writer.h"

namespace roomcast::transport {

namespace {

ws::Opcode opcode_of(dialect::Form form) {
  return form == dialect::Form::text ? ws::Opcode::text : ws::Opcode::binary;
}

}  // namespace

void PlainFraming::frame(dialect::Form form, std::string_view payload, std::string& out) const {
  ws::append_frame(out, opcode_of(form), payload);
}

void DeflateFraming::frame(dialect::Form form, std::string_view payload, std::string& out) const {
  if (payload.size() < min_bytes_) return ws::append_frame(out, opcode_of(form), payload);
  std::string compressed;
  deflater_.compress(payload, compressed);
  ws::append_frame(out, opcode_of(form), compressed, true);
}

const session::Framing& WebSocketFramings::for_client(const std::optional<ws::DeflateParameters>& deflate) {
  if (!deflate) return plain_;
  auto& framing = by_window_bits_.at(static_cast<std::size_t>(deflate->server_max_window_bits));
  if (!framing) {
    ws::DeflaterSettings settings;
    settings.window_bits = deflate->server_max_window_bits;
    settings.level = level_;
    framing = std::make_unique<DeflateFraming>(settings, min_bytes_);
  }
  return *framing;
}

}  // namespace roomcast::transport

#include "transport/websocket_framing.h"

#include "ws/frame_writer.h"

namespace roomcast::transport {

namespace {

ws::Opcode opcode_of(dialect::Form form) {
  return form == dialect::Form::text ? ws::Opcode::text : ws::Opcode::binary;
}

}  // namespace

void PlainFraming::frame(const session::Unit& unit, std::string& out) const {
  ws::append_frame(out, opcode_of(unit.form), unit.payload);
}

void DeflateFraming::frame(const session::Unit& unit, std::string& out) const {
  if (unit.payload.size() < min_bytes_ || unit.payload.size() > max_bytes)
    return ws::append_frame(out, opcode_of(unit.form), unit.payload);
  std::string compressed;
  deflater_.compress(unit.payload, compressed);
  ws::append_frame(out, opcode_of(unit.form), compressed, true);
}

const session::Framing& WebSocketFramings::for_window(int bits) {
  if (bits == 0) return plain_;
  auto& framing = by_window_bits_.at(static_cast<std::size_t>(bits));
  if (!framing) {
    ws::DeflaterSettings settings;
    settings.window_bits = bits;
    settings.level = level_;
    framing = std::make_unique<DeflateFraming>(settings, min_bytes_);
  }
  return *framing;
}

}  // namespace roomcast::transport

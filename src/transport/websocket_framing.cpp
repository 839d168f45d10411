#include "transport/websocket_framing.h"

#include "transport/compressing.h"
#include "ws/frame_writer.h"

namespace roomcast::transport {

namespace {

ws::Opcode opcode_of(dialect::PayloadForm form) {
  return form == dialect::PayloadForm::text ? ws::Opcode::text : ws::Opcode::binary;
}

}  // namespace

std::size_t PlainFraming::frame(const session::OutgoingPayload& payload, std::string& out) const {
  ws::append_frame(out, opcode_of(payload.form), payload.bytes);
  return 0;
}

std::size_t DeflateFraming::frame(const session::OutgoingPayload& payload, std::string& out) const {
  const std::size_t size = payload.bytes.size();
  if (size < min_bytes_ || size > compressed_bytes_max || !has_time_for(compressing_, payload)) {
    ws::append_frame(out, opcode_of(payload.form), payload.bytes);
    return 0;
  }
  std::string compressed;
  compressing_.spend_on([&] { deflater_.compress(payload.bytes, compressed); });
  ws::append_frame(out, opcode_of(payload.form), compressed, true);
  return size;
}

const session::Framing& WebSocketFramings::for_window(int bits) {
  if (bits == 0) return plain_;
  auto& framing = by_window_bits_.at(static_cast<std::size_t>(bits));
  if (!framing) {
    ws::DeflaterSettings settings;
    settings.window_bits = bits;
    settings.level = level_;
    framing = std::make_unique<DeflateFraming>(settings, min_bytes_, compressing_);
  }
  return *framing;
}

}  // namespace roomcast::transport

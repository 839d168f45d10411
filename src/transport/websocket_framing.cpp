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

}  // namespace roomcast::transport

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ws/fault.h"
#include "ws/frame_header.h"

namespace roomcast::ws {

/// Appends the header of a server frame: unmasked, the complete message in one frame, with the shortest
/// length field (RFC 6455 section 5.2). `rsv1` marks a compressed message (RFC 7692 section 6).
void append_header(std::string& out, Opcode opcode, std::uint64_t payload_bytes, bool rsv1 = false);

/// Appends header and payload. The payload of a control frame must not exceed 125 bytes.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool rsv1 = false);

/// Appends a close frame. `reason` must be UTF-8 and is cut to the 123 bytes that fit, at a character
/// boundary. An empty frame for CloseCode::no_status.
void append_close(std::string& out, CloseCode code, std::string_view reason);

}  // namespace roomcast::ws

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ws/close_code.h"
#include "ws/deflate.h"
#include "ws/utf8.h"

namespace roomcast::ws {

/// What a reader accepts.
struct ReaderLimits {
  std::uint64_t message_bytes = 65536;  ///< payload of one message, after inflating, all fragments together
  std::uint32_t fragments = 1024;       ///< frames of one message
};

/// One thing the peer said. Views are valid until the next call of FrameReader::next and only as long as the
/// input buffer is.
struct Event {
  enum class Type : std::uint8_t {
    need_more,  ///< the input is used up
    text,       ///< whole text message, valid UTF-8
    binary,     ///< whole binary message
    ping,
    pong,
    close,      ///< code (CloseCode::no_status if the frame was empty) and reason
    error,      ///< the connection must be failed with `code`; `payload` says why. Nothing follows.
  };
  Type type = Type::need_more;
  CloseCode code = CloseCode::no_status;
  std::string_view payload;
};

/// Reads what a client sends (RFC 6455 section 5; RFC 7692 where negotiated). Sans-I/O: bytes in, values out.
/// A message that arrives whole in one frame is unmasked in the input buffer and not copied. UTF-8 is judged
/// as the bytes arrive, within frames and across fragments. Nothing is allocated until a message is split.
class FrameReader;

}  // namespace roomcast::ws

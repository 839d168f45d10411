#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roomcast::bench {

/// RFC 6455 section 5.2.
enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

/// What stands at the front of bytes that came in: nothing whole yet, something whole, or what must not be.
enum class Front : std::uint8_t { part, whole, bad };

/// A frame as a server sends it.
struct ServerFrame {
  Front front = Front::part;
  Opcode opcode = Opcode::text;
  bool compressed = false;   ///< RSV1
  std::size_t used = 0;      ///< of the bytes given; 0 unless whole
  std::string_view payload;  ///< within them
};

/// Takes the frame at the front of `bytes`. `compression`: whether RSV1 was agreed upon. A message in
/// fragments is bad, too: each of the servers under measurement sends a message as one frame.
[[nodiscard]] ServerFrame take_server_frame(std::string_view bytes, bool compression);

/// Appends a frame as a client sends it. The payload is `before`, `payload` and `behind` on end, so that an
/// envelope needs no string of its own. The mask is always the same, which only the server pays for.
void append_client_frame(std::string& out, Opcode opcode, std::string_view payload,
                         std::string_view before = {}, std::string_view behind = {});

}  // namespace roomcast::bench

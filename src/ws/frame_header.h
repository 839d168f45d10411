#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ws/fault.h"

namespace roomcast::ws {

/// The 32-bit masking key of a client frame, in the order of the wire (RFC 6455 section 5.3).
using MaskKey = std::array<unsigned char, 4>;

/// XORs `bytes` in place with `key` repeated.
void apply_mask(std::span<char> bytes, const MaskKey& key);

/// The same for a piece of a payload: turns `key` so that it fits the byte after them.
void apply_mask_to_piece(std::span<char> bytes, MaskKey& key);

/// RFC 6455 section 5.2.
enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

[[nodiscard]] constexpr bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 0x8; }

constexpr std::size_t max_client_header_bytes = 14;
constexpr std::size_t max_control_payload_bytes = 125;

/// Of the first byte of a frame.
constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t rsv1_bit = 0x40;
/// In the place of a length up to 125: the length stands in the 2 or 8 bytes behind it.
constexpr std::uint8_t length_in_16_bits = 126;
constexpr std::uint8_t length_in_64_bits = 127;

/// The head of one frame as a client sends it.
struct FrameHeader {
  Opcode opcode = Opcode::continuation;
  bool fin = true;
  bool rsv1 = false;
  MaskKey mask{};
  std::uint64_t payload_bytes = 0;
};

struct HeaderParse {
  Fault fault = Fault::none;
  std::size_t header_bytes = 0;  ///< how long the header is; 0 while it is not there as a whole
  bool has_kind = false;         ///< `fin`, `rsv1` and `opcode` are known: the first byte is there
  bool has_length = false;       ///< `payload_bytes` is known
};

/// The length of the header of a frame with a masking key and at most 125 bytes of payload.
constexpr std::size_t short_client_header_bytes = 6;

/// The payload's size if `bytes` begins with a message in a single short frame, all of it: text or binary,
/// final, masked, no reserved bit, at most 125 bytes. What chat is made of, told from everything else at a
/// glance.
[[nodiscard]] std::optional<std::size_t> size_of_short_message(std::string_view bytes);

/// Reads a client's frame header from the front of `bytes` into `header`. Faults that the bytes present
/// already prove are reported although more are to come, in the order of the bytes. RSV1 is let pass on text
/// and binary frames: whether it has a meaning is the caller's to know.
[[nodiscard]] HeaderParse parse_client_header(std::string_view bytes, FrameHeader& header);

}  // namespace roomcast::ws

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ws/fault.h"

namespace roomcast::ws {

/// The 32-bit masking key of a client frame, in wire order (RFC 6455 section 5.3).
using MaskKey = std::array<unsigned char, 4>;

/// XORs `bytes` in place with the repeated `key`.
void apply_mask(std::span<char> bytes, const MaskKey& key);

/// Like apply_mask for a piece of a payload: rotates `key` for the byte that follows.
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

/// Bits of the first byte of a frame.
constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t rsv1_bit = 0x40;
/// Values of the length field: the length is in the following 2 or 8 bytes.
constexpr std::uint8_t length_in_16_bits = 126;
constexpr std::uint8_t length_in_64_bits = 127;

/// The header of a frame from a client.
struct FrameHeader {
  Opcode opcode = Opcode::continuation;
  bool fin = true;
  bool rsv1 = false;
  MaskKey mask{};
  std::uint64_t payload_bytes = 0;
};

struct HeaderParse {
  Fault fault = Fault::none;
  std::size_t header_bytes = 0;  ///< size of the header; 0 if it is incomplete
  bool has_kind = false;         ///< `fin`, `rsv1` and `opcode` are known
  bool has_length = false;       ///< `payload_bytes` is known
};

/// The size of a header with a masking key and at most 125 bytes of payload.
constexpr std::size_t short_client_header_bytes = 6;

/// The size of the payload if `bytes` begins with a complete message in a single short frame: text or binary,
/// final, masked, no reserved bits, at most 125 bytes. A fast check for the most common message.
[[nodiscard]] std::optional<std::size_t> size_of_short_message(std::string_view bytes);

/// Parses the frame header of a client at the front of `bytes` into `header`. Errors that the available bytes
/// already prove are reported although more are to come, in the order of the bytes. RSV1 is accepted on text
/// and binary frames: the caller knows whether it has a meaning.
[[nodiscard]] HeaderParse parse_client_header(std::string_view bytes, FrameHeader& header);

}  // namespace roomcast::ws

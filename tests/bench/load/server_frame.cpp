#include "load/server_frame.h"

#include <array>

namespace roomcast::bench {

namespace {

constexpr std::size_t short_header_bytes = 2;
constexpr std::size_t max_message_bytes = std::size_t{64} << 20;
constexpr std::array<char, 4> mask{'\x5a', '\x17', '\x3c', '\x69'};

unsigned octet(char byte) { return static_cast<unsigned char>(byte); }

bool is_known(unsigned opcode) { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA); }

/// What the first two bytes alone show.
bool is_fine(unsigned first, unsigned second, bool compression) {
  const unsigned opcode = first & 0x0FU;
  const bool is_control = opcode >= 0x8;
  const unsigned reserved = compression && !is_control ? 0x30U : 0x70U;
  if ((first & 0x80U) == 0 || opcode == 0 || !is_known(opcode) || (first & reserved) != 0) return false;
  return (second & 0x80U) == 0 && (!is_control || second <= 125);
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xFFU);
}

}  // namespace

ServerFrame take_server_frame(std::string_view bytes, bool compression) {
  if (bytes.size() < short_header_bytes) return {};
  const unsigned first = octet(bytes[0]);
  const unsigned second = octet(bytes[1]);
  if (!is_fine(first, second, compression)) return {.front = Front::bad, .payload = {}};
  std::size_t header_bytes = short_header_bytes;
  std::uint64_t payload_bytes = second;
  if (second >= 126) {
    header_bytes += second == 126 ? 2 : 8;
    if (bytes.size() < header_bytes) return {};
    payload_bytes = 0;
    for (std::size_t i = short_header_bytes; i < header_bytes; ++i) {
      payload_bytes = (payload_bytes << 8) | octet(bytes[i]);
    }
    if (payload_bytes > max_message_bytes) return {.front = Front::bad, .payload = {}};
  }
  const std::size_t whole_bytes = header_bytes + static_cast<std::size_t>(payload_bytes);
  if (bytes.size() < whole_bytes) return {};
  return {Front::whole, static_cast<Opcode>(first & 0x0FU), (first & 0x40U) != 0, whole_bytes,
          bytes.substr(header_bytes, static_cast<std::size_t>(payload_bytes))};
}

void append_client_frame(std::string& out, Opcode opcode, std::string_view payload, std::string_view before,
                         std::string_view behind) {
  const std::size_t size = before.size() + payload.size() + behind.size();
  out += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  if (size < 126) {
    out += static_cast<char>(0x80U | size);
  } else if (size <= UINT16_MAX) {
    out += static_cast<char>(0x80U | 126U);
    append_big_endian(out, size, 2);
  } else {
    out += static_cast<char>(0x80U | 127U);
    append_big_endian(out, size, 8);
  }
  out.append(mask.data(), mask.size());
  const std::size_t from = out.size();
  out.append(before).append(payload).append(behind);
  for (std::size_t i = from; i < out.size(); ++i) {
    out[i] = static_cast<char>(out[i] ^ mask[(i - from) % mask.size()]);
  }
}

}  // namespace roomcast::bench

#include "serve/floor_frames.h"

#include <cstring>

namespace roomcast::bench::floor {

namespace {

constexpr unsigned final_bit = 0x80;
constexpr unsigned compressed_bit = 0x40;
constexpr unsigned reserved_bits = 0x30;
constexpr unsigned opcode_bits = 0x0F;
constexpr unsigned mask_bit = 0x80;
constexpr unsigned length_bits = 0x7F;
constexpr std::size_t mask_bytes = 4;

/// Big-endian.
std::uint64_t read_number(std::span<const char> bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes)
    number = number << 8U | static_cast<unsigned char>(c);
  return number;
}

void unmask(std::span<char> payload, const char* mask) {
  std::uint64_t twice = 0;
  std::memcpy(&twice, mask, mask_bytes);
  std::memcpy(reinterpret_cast<char*>(&twice) + mask_bytes, mask, mask_bytes);
  std::size_t i = 0;
  for (; i + sizeof twice <= payload.size(); i += sizeof twice) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, payload.data() + i, sizeof eight);
    eight ^= twice;
    std::memcpy(payload.data() + i, &eight, sizeof eight);
  }
  for (; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ mask[i % mask_bytes]);
}

}  // namespace

FrameTaken take_frame(std::span<char>& input, ClientFrame& frame) {
  if (input.size() < 2) return FrameTaken::not_yet;
  const auto first = static_cast<unsigned char>(input[0]);
  const auto second = static_cast<unsigned char>(input[1]);
  const auto opcode = static_cast<std::uint8_t>(first & opcode_bits);
  if ((first & final_bit) == 0 || (first & reserved_bits) != 0 || (second & mask_bit) == 0 || opcode == 0)
    return FrameTaken::refused;

  const unsigned length = second & length_bits;
  const std::size_t length_bytes = length < 126 ? 0 : length == 126 ? 2 : 8;
  const std::size_t head_bytes = 2 + length_bytes + mask_bytes;
  if (input.size() < head_bytes) return FrameTaken::not_yet;
  const std::uint64_t payload_bytes = length < 126 ? length : read_number(input.subspan(2, length_bytes));
  if (payload_bytes > max_frame_bytes) return FrameTaken::refused;
  if (input.size() - head_bytes < payload_bytes) return FrameTaken::not_yet;

  frame.opcode = opcode;
  frame.compressed = (first & compressed_bit) != 0;
  frame.payload = input.subspan(head_bytes, payload_bytes);
  unmask(frame.payload, &input[2 + length_bytes]);
  input = input.subspan(head_bytes + payload_bytes);
  return FrameTaken::whole;
}

void append_frame(std::string& out, std::uint8_t opcode, bool compressed, std::string_view payload) {
  out += static_cast<char>(final_bit | (compressed ? compressed_bit : 0U) | opcode);
  const std::size_t size = payload.size();
  const auto append_number = [&out, size](unsigned bytes) {
    for (unsigned shift = bytes * 8; shift > 0; shift -= 8)
      out += static_cast<char>(size >> (shift - 8));
  };
  if (size < 126) {
    append_number(1);
  } else if (size <= 0xFFFF) {
    out += static_cast<char>(126);
    append_number(2);
  } else {
    out += static_cast<char>(127);
    append_number(8);
  }
  out += payload;
}

std::span<char> Leftover::with(std::span<char> fresh) {
  if (bytes_.empty()) return fresh;
  bytes_.append(fresh.data(), fresh.size());
  return bytes_;
}

void Leftover::keep(std::span<const char> rest) {
  if (rest.empty()) {
    bytes_ = {};  // an idle connection keeps no buffer
  } else if (bytes_.empty()) {
    bytes_.assign(rest.data(), rest.size());
  } else {
    bytes_.erase(0, bytes_.size() - rest.size());
  }
}

}  // namespace roomcast::bench::floor

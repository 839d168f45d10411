#include "ws/frame_header.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace roomcast::ws {

void apply_mask(std::span<char> bytes, const MaskKey& key) {
  std::uint64_t word_key = 0;
  std::memcpy(&word_key, key.data(), 4);
  std::memcpy(reinterpret_cast<char*>(&word_key) + 4, key.data(), 4);

  // Whole words first; memcpy, because the payload may be unaligned.
  const std::size_t in_words = bytes.size() - bytes.size() % sizeof(word_key);
  for (std::size_t at = 0; at < in_words; at += sizeof(word_key)) {
    std::uint64_t word = 0;
    std::memcpy(&word, &bytes[at], sizeof(word));
    word ^= word_key;
    std::memcpy(&bytes[at], &word, sizeof(word));
  }
  for (std::size_t at = in_words; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ key[at % key.size()]);
  }
}

void apply_mask_to_piece(std::span<char> bytes, MaskKey& key) {
  apply_mask(bytes, key);
  const MaskKey before = key;
  for (std::size_t at = 0; at < key.size(); ++at)
    key[at] = before[(at + bytes.size()) % key.size()];
}

namespace {

constexpr std::uint8_t rsv2_and_3_bits = 0x30;
constexpr std::uint8_t opcode_bits = 0x0F;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7F;

bool is_known(std::uint8_t opcode) { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA); }

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes)
    value = value << 8U | static_cast<std::uint8_t>(byte);
  return value;
}

Fault parse_first_byte(std::uint8_t byte, FrameHeader& header) {
  header.fin = (byte & fin_bit) != 0;
  header.rsv1 = (byte & rsv1_bit) != 0;
  if ((byte & rsv2_and_3_bits) != 0) return Fault::reserved_bits;
  const auto opcode = static_cast<std::uint8_t>(byte & opcode_bits);
  if (!is_known(opcode)) return Fault::reserved_opcode;
  header.opcode = static_cast<Opcode>(opcode);
  if (is_control(header.opcode) && !header.fin) return Fault::control_fragmented;
  // RFC 7692 section 6.1: only the first frame of a message has the bit.
  const bool starts_message = header.opcode == Opcode::text || header.opcode == Opcode::binary;
  if (header.rsv1 && !starts_message) return Fault::reserved_bits;
  return Fault::none;
}

Fault check_second_byte(std::uint8_t byte, Opcode opcode) {
  if ((byte & mask_bit) == 0) return Fault::not_masked;
  const auto short_length = static_cast<std::uint8_t>(byte & length_bits);
  if (is_control(opcode) && short_length > max_control_payload_bytes) return Fault::control_too_long;
  if (opcode == Opcode::close && short_length == 1) return Fault::close_length;
  return Fault::none;
}

/// Validates the available bytes of a length field of `field_bytes` as far as they are decisive.
Fault check_extended_length(std::size_t field_bytes, std::string_view field) {
  if (field_bytes == 8 && !field.empty() && (byte_at(field, 0) & 0x80U) != 0)
    return Fault::length_out_of_range;
  const std::uint64_t smallest = field_bytes == 2 ? length_in_16_bits : 0x10000;
  const std::size_t missing_bits = 8 * (field_bytes - field.size());
  const std::uint64_t largest_possible =
      field.empty() ? ~std::uint64_t{0} : ((big_endian(field) + 1) << missing_bits) - 1;
  return largest_possible < smallest ? Fault::length_not_minimal : Fault::none;
}

}  // namespace

std::optional<std::size_t> size_of_short_message(std::string_view bytes) {
  if (bytes.size() < short_client_header_bytes) return std::nullopt;
  const auto opcode = static_cast<Opcode>(byte_at(bytes, 0) ^ fin_bit);
  if (opcode != Opcode::text && opcode != Opcode::binary) return std::nullopt;
  // Far too large without the mask bit.
  const std::size_t size = byte_at(bytes, 1) ^ mask_bit;
  if (size >= length_in_16_bits || size > bytes.size() - short_client_header_bytes) return std::nullopt;
  return size;
}

HeaderParse parse_client_header(std::string_view bytes, FrameHeader& header) {
  HeaderParse parse;
  if (bytes.empty()) return parse;
  if (parse.fault = parse_first_byte(byte_at(bytes, 0), header); parse.fault != Fault::none) return parse;
  parse.has_kind = true;
  if (bytes.size() < 2) return parse;
  const auto short_length = static_cast<std::uint8_t>(byte_at(bytes, 1) & length_bits);
  if (parse.fault = check_second_byte(byte_at(bytes, 1), header.opcode); parse.fault != Fault::none)
    return parse;

  std::size_t field_bytes = 0;
  if (short_length == length_in_16_bits) field_bytes = 2;
  if (short_length == length_in_64_bits) field_bytes = 8;
  header.payload_bytes = short_length;
  if (field_bytes > 0) {
    const std::string_view field = bytes.substr(2, field_bytes);
    if (parse.fault = check_extended_length(field_bytes, field); parse.fault != Fault::none) return parse;
    if (field.size() < field_bytes) return parse;
    header.payload_bytes = big_endian(field);
  }
  parse.has_length = true;
  const std::size_t mask_at = 2 + field_bytes;
  if (bytes.size() < mask_at + header.mask.size()) return parse;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(mask_at), header.mask.size(), header.mask.begin());
  parse.header_bytes = mask_at + header.mask.size();
  return parse;
}

}  // namespace roomcast::ws

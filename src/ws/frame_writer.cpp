#include "ws/frame_writer.h"

#include <cassert>
#include <cstddef>

#include "base/text.h"

namespace roomcast::ws {

namespace {

constexpr std::uint64_t largest_short_length = 125;
constexpr std::size_t max_reason_bytes = max_control_payload_bytes - 2;

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned left = bytes; left > 0; --left) {
    out.push_back(static_cast<char>(value >> 8U * (left - 1) & 0xFFU));
  }
}

}  // namespace

void append_header(std::string& out, Opcode opcode, std::uint64_t payload_bytes, bool rsv1) {
  const auto rsv = rsv1 ? rsv1_bit : std::uint8_t{0};
  out.push_back(static_cast<char>(fin_bit | rsv | static_cast<std::uint8_t>(opcode)));
  if (payload_bytes <= largest_short_length) {
    out.push_back(static_cast<char>(payload_bytes));
  } else if (payload_bytes <= 0xFFFF) {
    out.push_back(static_cast<char>(length_in_16_bits));
    append_big_endian(out, payload_bytes, 2);
  } else {
    out.push_back(static_cast<char>(length_in_64_bits));
    append_big_endian(out, payload_bytes, 8);
  }
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool rsv1) {
  assert(!is_control(opcode) || payload.size() <= max_control_payload_bytes);
  append_header(out, opcode, payload.size(), rsv1);
  out.append(payload);
}

void append_close(std::string& out, CloseCode code, std::string_view reason) {
  if (code == CloseCode::no_status) {
    append_header(out, Opcode::close, 0);
    return;
  }
  const auto cut = base::cut_between_characters(reason, max_reason_bytes);
  append_header(out, Opcode::close, 2 + cut.size());
  append_big_endian(out, static_cast<std::uint16_t>(code), 2);
  out.append(cut);
}

}  // namespace roomcast::ws

// Compares the incremental validator with a simple decoder, with the one for complete texts, and with itself
// for a text in three pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "check.h"
#include "ws/utf8.h"

namespace {

/// RFC 3629 by decoding: the size of the complete character at the front; 0 if there is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(text[at]));
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || lead >= 0xF8 || text.size() < size) return 0;
  std::uint32_t code_point = lead & (0x7FU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0U) != 0x80) return 0;
    code_point = code_point << 6U | (byte(at) & 0x3FU);
  }
  const std::uint32_t smallest = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return code_point >= smallest && code_point <= 0x10FFFF && !surrogate ? size : 0;
}

bool is_valid_by_decoding(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool is_valid_in_pieces(std::string_view text, std::size_t first_cut, std::size_t second_cut) {
  roomcast::ws::Utf8Validator validator;
  return validator.feed(text.substr(0, first_cut)) &&
         validator.feed(text.substr(first_cut, second_cut - first_cut)) &&
         validator.feed(text.substr(second_cut)) && validator.is_complete();
}

/// Whether some continuation of at most three bytes makes `text` valid: the meaning of "not refused yet".
bool can_become_valid(std::string_view text) {
  if (is_valid_by_decoding(text)) return true;
  for (const std::string_view tail :
       {"\x80", "\xBF", "\x80\x80", "\xBF\xBF", "\x80\x80\x80", "\xBF\xBF\xBF"}) {
    if (is_valid_by_decoding(std::string(text).append(tail))) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const bool valid = is_valid_by_decoding(text);
  const auto cuts = std::minmax({data[0] % (text.size() + 1), data[1] % (text.size() + 1)});
  FUZZ_CHECK(is_valid_in_pieces(text, 0, 0) == valid);
  FUZZ_CHECK(is_valid_in_pieces(text, cuts.first, cuts.second) == valid);
  FUZZ_CHECK(roomcast::base::is_valid_utf8(text) == valid);

  const auto front = text.substr(0, std::min<std::size_t>(text.size(), 64));
  for (std::size_t length = 0; length <= front.size(); ++length) {
    roomcast::ws::Utf8Validator validator;
    const auto prefix = front.substr(0, length);
    FUZZ_CHECK(validator.feed(prefix) == can_become_valid(prefix));
  }
  return 0;
}

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "hub/cursor.h"

using namespace roomcast;

/// A place has one cursor and a cursor one place: what is read is what was written, and nothing else is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto position = hub::parse_cursor(text)) FUZZ_CHECK(hub::to_cursor(*position) == text);

  hub::Position position;
  for (std::size_t i = 0; i < std::min<std::size_t>(size, 16); ++i) {
    std::uint64_t& half = i < 8 ? position.epoch : position.offset;
    half = half << 8U | data[i];
  }
  const std::string cursor = hub::to_cursor(position);
  FUZZ_CHECK(cursor.find_first_not_of("0123456789abcdef-") == std::string::npos);
  FUZZ_CHECK(hub::parse_cursor(cursor) == position);
  return 0;
}

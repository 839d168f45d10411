#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace roomcast::test {

/// The sizes of the TLS records (RFC 8446 section 5.1) that `wire` consists of, without their headers. What
/// does not make up a whole record counts as one of size 0.
inline std::vector<std::size_t> records_in(std::string_view wire) {
  constexpr std::size_t header = 5;
  std::vector<std::size_t> sizes;
  while (!wire.empty()) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(wire[at]); };
    const std::size_t size = wire.size() < header ? 0 : std::size_t{byte(3)} * 256 + byte(4);
    if (wire.size() < header + size) {
      sizes.push_back(0);
      return sizes;
    }
    sizes.push_back(size);
    wire.remove_prefix(header + size);
  }
  return sizes;
}

}  // namespace roomcast::test

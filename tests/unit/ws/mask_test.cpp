#include "ws/frame_header.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace roomcast::ws::mask_test {

namespace {

std::string slowly_masked(std::string bytes, const MaskKey& key) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ key[at % 4]);
  }
  return bytes;
}

std::string sample(std::size_t size) {
  std::string bytes;
  for (std::size_t at = 0; at < size; ++at)
    bytes.push_back(static_cast<char>(at * 37 + 11));
  return bytes;
}

}  // namespace

TEST_CASE("masking XORs byte i with byte i modulo 4 of the key, at any address and of any length") {
  const MaskKey key{0xA1, 0x02, 0xFF, 0x4C};
  for (std::size_t offset = 0; offset < 16; ++offset) {
    for (std::size_t size = 0; size < 70; ++size) {
      const std::string plain = sample(size);
      std::string buffer = std::string(offset, '#') + plain + "###";
      apply_mask(std::span(buffer).subspan(offset, size), key);
      REQUIRE(buffer == std::string(offset, '#') + slowly_masked(plain, key) + "###");
    }
  }
}

TEST_CASE("a payload may be masked in two pieces cut anywhere") {
  const MaskKey key{1, 20, 30, 240};
  const std::string plain = sample(67);
  const std::string masked = slowly_masked(plain, key);
  for (std::size_t cut = 0; cut <= plain.size(); ++cut) {
    std::string buffer = plain;
    MaskKey turned = key;
    apply_mask_to_piece(std::span(buffer).first(cut), turned);
    apply_mask_to_piece(std::span(buffer).subspan(cut), turned);
    CHECK(buffer == masked);
  }
}

}  // namespace roomcast::ws::mask_test

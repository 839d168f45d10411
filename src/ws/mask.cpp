#include "ws/mask.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace roomcast::ws {

void apply_mask(std::span<char> bytes, const MaskKey& key) {
  std::uint64_t word_key = 0;
  std::memcpy(&word_key, key.data(), 4);
  std::memcpy(reinterpret_cast<char*>(&word_key) + 4, key.data(), 4);

  // Whole words first, through memcpy because the payload can lie at any address.
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

}  // namespace roomcast::ws

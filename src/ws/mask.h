#pragma once

#include <array>
#include <span>

namespace roomcast::ws {

/// The 32-bit masking key of a client frame, in the order of the wire (RFC 6455 section 5.3).
using MaskKey = std::array<unsigned char, 4>;

/// XORs `bytes` in place with `key` repeated.
void apply_mask(std::span<char> bytes, const MaskKey& key);

/// The same for a piece of a payload: turns `key` so that it fits the byte after them.
void apply_mask_to_piece(std::span<char> bytes, MaskKey& key);

}  // namespace roomcast::ws

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace roomcast::net {

/// A list of address blocks: `10.0.0.0/8`, `2001:db8::/32`, a single address, or the word `unix` for peers of
/// Unix sockets. IPv4-mapped IPv6 addresses (::ffff:a.b.c.d) count as the IPv4 addresses.
class CidrList {
 public:
  /// Adds the block `text`, or returns what is wrong with it.
  [[nodiscard]] std::optional<base::Error> add(std::string_view text);
  /// Whether `address` (numeric, or "unix") is in one of the blocks; false for other texts.
  [[nodiscard]] bool contains(std::string_view address) const;
  [[nodiscard]] bool empty() const { return blocks_.empty() && !unix_; }

 private:
  using Bits = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d
  struct Block {
    Bits bits{};
    int prefix = 128;  // of the 128 bits
  };

  static bool parse(std::string_view text, Bits& bits, bool& is_ipv4);
  static Bits masked(const Bits& bits, int prefix);

  std::vector<Block> blocks_;
  bool unix_ = false;
};

}  // namespace roomcast::net

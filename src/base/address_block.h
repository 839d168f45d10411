#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roomcast::base {

/// The canonical text of `address`; an IPv4-mapped IPv6 address (::ffff:a.b.c.d) gives that of the IPv4
/// address.
[[nodiscard]] std::string address_text(const in6_addr& address);

/// The block that limits count a client's numeric `address` under: an IPv6 address with all bits after the
/// first `ipv6_prefix_bits` (up to 128) cleared, followed by the prefix length ("2001:db8::/64"). Everything
/// else, IPv4-mapped addresses included, is returned unchanged.
[[nodiscard]] std::string address_block(std::string_view address, unsigned ipv6_prefix_bits);

/// An address in network byte order; IPv4 as ::ffff:a.b.c.d.
using AddressBits = std::array<std::uint8_t, 16>;

/// Nothing if `address` is not numeric.
[[nodiscard]] std::optional<AddressBits> address_bits(std::string_view address);
/// All bits after the first `prefix_bits` (0 to 128) cleared.
[[nodiscard]] AddressBits masked(const AddressBits& bits, int prefix_bits);

/// A block of addresses (CIDR, RFC 4632): `10.0.0.0/8`, `2001:db8::/32`, or a single address. IPv4-mapped
/// IPv6 addresses count as the IPv4 addresses.
struct AddressBlock {
  AddressBits bits{};
  int prefix_bits = 128;  ///< of the 128: that of 10.0.0.0/8 is 104

  static constexpr int ipv4_prefix_bits = 96;  ///< ::ffff:0:0/96 holds IPv4

  /// The error says what is wrong with `text`.
  static Result<AddressBlock> parse(std::string_view text);
  /// The same, but one IPv6 address without a prefix length stands for its /64, since a client usually has
  /// all of that to itself.
  static Result<AddressBlock> parse_client(std::string_view text);

  [[nodiscard]] bool is_ipv4() const;
  /// An IPv6 block as wide as ::/0 does not contain IPv4.
  [[nodiscard]] bool contains(const AddressBits& address) const;
  /// As parse takes it, with its prefix length; a single address without.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const AddressBlock&, const AddressBlock&) = default;
};

}  // namespace roomcast::base

#pragma once

#include <netinet/in.h>

#include <string>
#include <string_view>

namespace roomcast::base {

/// The canonical text of `address`; an IPv4-mapped IPv6 address (::ffff:a.b.c.d) gives that of the IPv4
/// address.
[[nodiscard]] std::string address_text(const in6_addr& address);

/// The block that limits count a client's numeric `address` under: an IPv6 address with all bits after the
/// first `ipv6_prefix_bits` (up to 128) cleared, followed by the prefix length ("2001:db8::/64"). Everything
/// else, IPv4-mapped addresses included, is returned unchanged.
[[nodiscard]] std::string address_block(std::string_view address, unsigned ipv6_prefix_bits);

}  // namespace roomcast::base

#pragma once

#include <netinet/in.h>

#include <string>
#include <string_view>

namespace roomcast::base {

/// The canonical text of an address; an IPv4 address written as IPv6 (::ffff:a.b.c.d) as the IPv4 one.
[[nodiscard]] std::string address_text(const in6_addr& address);

/// What a client's numeric address is counted as: an IPv6 address with all bits behind the first
/// `ipv6_prefix_bits` (up to 128) cleared, followed by "/64" or whatever it is. Anything else, IPv4 addresses
/// written as IPv6 (::ffff:a.b.c.d) too, stays as it is.
[[nodiscard]] std::string address_block(std::string_view address, unsigned ipv6_prefix_bits);

}  // namespace roomcast::base

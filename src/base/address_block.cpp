#include "base/address_block.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace roomcast::base {

std::string address_text(const in6_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&address);
  const void* const bytes = is_mapped ? static_cast<const void*>(&address.s6_addr[12]) : &address;
  inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return text.data();
}

std::string address_block(std::string_view address, unsigned ipv6_prefix_bits) {
  std::string text(address);
  in6_addr bits{};
  if (ipv6_prefix_bits >= 128 || address.find(':') == std::string_view::npos) return text;
  if (inet_pton(AF_INET6, text.c_str(), &bits) != 1 || IN6_IS_ADDR_V4MAPPED(&bits)) return text;
  unsigned left = ipv6_prefix_bits;
  for (std::uint8_t& byte : bits.s6_addr) {
    const unsigned kept = std::min(left, 8U);
    byte = static_cast<std::uint8_t>(byte & (0xff00U >> kept));
    left -= kept;
  }
  return address_text(bits) + '/' + std::to_string(ipv6_prefix_bits);
}

}  // namespace roomcast::base

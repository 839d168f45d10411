#include "hub/source.h"

#include <algorithm>

#include "base/address_block.h"
#include "base/string_hash.h"

namespace roomcast::hub {

Source source_of(std::string_view address) {
  // A client with one IPv6 address usually has a /64 of them.
  constexpr unsigned ipv6_prefix_bits = 64;
  constexpr std::size_t mask = source_count - 1;
  return std::max(
      static_cast<Source>(base::StringHash{}(base::address_block(address, ipv6_prefix_bits)) & mask),
      Source{1});
}

}  // namespace roomcast::hub

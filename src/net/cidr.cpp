#include "net/cidr.h"

#include <algorithm>

namespace roomcast::net {

std::optional<base::Error> CidrList::add(std::string_view text) {
  if (text == "unix") {
    unix_ = true;
    return std::nullopt;
  }
  const auto block = base::AddressBlock::parse(text);
  if (!block) return block.error();
  blocks_.push_back(*block);
  return std::nullopt;
}

bool CidrList::contains(std::string_view address) const {
  if (address == "unix") return unix_;
  if (blocks_.empty()) return false;
  const auto bits = base::address_bits(address);
  return bits && std::any_of(blocks_.begin(), blocks_.end(),
                             [&bits](const base::AddressBlock& block) { return block.contains(*bits); });
}

}  // namespace roomcast::net

#include "net/cidr.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace roomcast::net {

namespace {

constexpr int mapped_prefix = 96;  // ::ffff:0:0/96 holds IPv4

base::Error bad_block(std::string_view text, std::string_view why) {
  std::string message = "bad address block \"";
  message.append(text).append("\": ").append(why);
  return {std::move(message)};
}

}  // namespace

bool CidrList::parse(std::string_view text, Bits& bits, bool& is_ipv4) {
  const std::string terminated(text);
  bits = {};
  is_ipv4 = inet_pton(AF_INET, terminated.c_str(), &bits[12]) == 1;
  if (!is_ipv4) return inet_pton(AF_INET6, terminated.c_str(), bits.data()) == 1;
  bits[10] = 0xff;
  bits[11] = 0xff;
  return true;
}

CidrList::Bits CidrList::masked(const Bits& bits, int prefix) {
  Bits result{};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const int kept = std::clamp(prefix - static_cast<int>(i) * 8, 0, 8);
    result[i] = static_cast<std::uint8_t>(bits[i] & (0xff00U >> static_cast<unsigned>(kept)));
  }
  return result;
}

std::optional<base::Error> CidrList::add(std::string_view text) {
  if (text == "unix") {
    unix_ = true;
    return std::nullopt;
  }
  Block block;
  bool is_ipv4 = false;
  const auto slash = text.find('/');
  if (!parse(text.substr(0, slash), block.bits, is_ipv4)) {
    return bad_block(text, "expected a numeric address, as in 10.0.0.0/8, or unix");
  }
  if (slash != std::string_view::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, block.prefix);
    const int most = is_ipv4 ? 32 : 128;
    if (error != std::errc{} || stop != end || block.prefix < 0 || block.prefix > most) {
      return bad_block(text, "the number behind the slash must be 0 to " + std::to_string(most));
    }
    if (is_ipv4) block.prefix += mapped_prefix;
  }
  if (masked(block.bits, block.prefix) != block.bits) {
    return bad_block(text, "bits are set behind the prefix");
  }
  blocks_.push_back(block);
  return std::nullopt;
}

bool CidrList::contains(std::string_view address) const {
  if (address == "unix") return unix_;
  if (blocks_.empty()) return false;
  Bits bits{};
  bool is_ipv4 = false;
  if (!parse(address, bits, is_ipv4)) return false;
  return std::any_of(blocks_.begin(), blocks_.end(), [&](const Block& block) {
    // An IPv6 block as wide as ::/0 does not cover IPv4.
    if (is_ipv4 && block.prefix < mapped_prefix) return false;
    return masked(bits, block.prefix) == block.bits;
  });
}

}  // namespace roomcast::net

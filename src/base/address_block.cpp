#include "base/address_block.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace roomcast::base {

namespace {

Error bad_block(std::string_view text, std::string_view why) {
  std::string message = "bad address block \"";
  message.append(text).append("\": ").append(why);
  return {std::move(message)};
}

bool is_mapped(const AddressBits& bits) {
  constexpr AddressBits prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return masked(bits, AddressBlock::ipv4_prefix_bits) == prefix;
}

}  // namespace

std::string address_text(const in6_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&address);
  const void* const bytes = is_mapped ? static_cast<const void*>(&address.s6_addr[12]) : &address;
  inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return text.data();
}

std::string address_block(std::string_view address, unsigned ipv6_prefix_bits) {
  if (ipv6_prefix_bits >= 128 || address.find(':') == std::string_view::npos) return std::string(address);
  const auto bits = address_bits(address);
  if (!bits || is_mapped(*bits)) return std::string(address);
  const int prefix_bits = static_cast<int>(ipv6_prefix_bits);
  const AddressBlock block{masked(*bits, prefix_bits), prefix_bits};
  return block.text();
}

std::optional<AddressBits> address_bits(std::string_view address) {
  const std::string terminated(address);
  AddressBits bits{};
  if (inet_pton(AF_INET, terminated.c_str(), &bits[12]) != 1) {
    return inet_pton(AF_INET6, terminated.c_str(), bits.data()) == 1 ? std::optional(bits) : std::nullopt;
  }
  bits[10] = 0xff;
  bits[11] = 0xff;
  return bits;
}

AddressBits masked(const AddressBits& bits, int prefix_bits) {
  AddressBits result{};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const int kept = std::clamp(prefix_bits - static_cast<int>(i) * 8, 0, 8);
    result[i] = static_cast<std::uint8_t>(bits[i] & (0xff00U >> static_cast<unsigned>(kept)));
  }
  return result;
}

Result<AddressBlock> AddressBlock::parse(std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const auto parsed = address_bits(address);
  if (!parsed) return bad_block(text, "expected a numeric address, as in 10.0.0.0/8");
  AddressBlock block{*parsed};
  if (slash == std::string_view::npos) return block;
  const bool is_dotted = address.find(':') == std::string_view::npos;
  const int most = is_dotted ? 32 : 128;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, block.prefix_bits);
  if (error != std::errc{} || stop != end || block.prefix_bits < 0 || block.prefix_bits > most)
    return bad_block(text, "the number behind the slash must be 0 to " + std::to_string(most));
  if (is_dotted) block.prefix_bits += ipv4_prefix_bits;
  if (masked(block.bits, block.prefix_bits) != block.bits)
    return bad_block(text, "bits are set behind the prefix");
  return block;
}

Result<AddressBlock> AddressBlock::parse_client(std::string_view text) {
  constexpr int client_bits = 64;
  auto block = parse(text);
  if (!block || block->is_ipv4() || text.find('/') != std::string_view::npos) return block;
  return AddressBlock{masked(block->bits, client_bits), client_bits};
}

bool AddressBlock::is_ipv4() const { return prefix_bits >= ipv4_prefix_bits && is_mapped(bits); }

bool AddressBlock::contains(const AddressBits& address) const {
  if (prefix_bits < ipv4_prefix_bits && is_mapped(address)) return false;
  return masked(address, prefix_bits) == bits;
}

std::string AddressBlock::text() const {
  in6_addr address{};
  std::memcpy(&address, bits.data(), bits.size());
  std::string text = address_text(address);
  if (prefix_bits == 128) return text;
  return text + '/' + std::to_string(is_ipv4() ? prefix_bits - ipv4_prefix_bits : prefix_bits);
}

}  // namespace roomcast::base

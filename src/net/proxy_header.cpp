#include "net/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/address_block.h"

namespace roomcast::net {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view text_start = "PROXY ";
constexpr std::string_view binary_start = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t binary_head_bytes = 16;  // signature, version and command, family, length

constexpr std::uint8_t type_ssl = 0x20;
constexpr std::uint8_t client_ssl = 0x01;

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

std::size_t two_bytes_at(std::string_view text, std::size_t at) {
  return static_cast<std::size_t>(byte_at(text, at) << 8U | byte_at(text, at + 1));
}

/// The text of an address of four or sixteen bytes in network order; an IPv4-mapped one as the IPv4 address.
std::string numeric(std::string_view bytes) {
  in6_addr address{};
  if (bytes.size() == sizeof address) {
    std::memcpy(&address, bytes.data(), bytes.size());
    return base::address_text(address);
  }
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, bytes.data(), text.data(), text.size());
  return text.data();
}

/// The bytes of the address `text`, four or sixteen depending on its family; empty if it is not an address.
std::string parse_address(int family, std::string_view text) {
  std::string bytes(family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr), '\0');
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos || inet_pton(family, terminated.c_str(), bytes.data()) != 1)
    bytes.clear();
  return bytes;
}

/// Parses a decimal number without sign or leading zeros.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return port;
}

/// Takes the word up to the next space, and that space, from the front.
std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

}  // namespace

ProxyHeaderReader::Verdict ProxyHeaderReader::read(std::string_view bytes, std::size_t& used) {
  Verdict verdict = Verdict::need_more;
  for (used = 0; used < bytes.size() && verdict == Verdict::need_more; ++used)
    verdict = step(bytes[used]);
  return verdict;
}

ProxyHeaderReader::Verdict ProxyHeaderReader::step(char byte) {
  header_ += byte;
  const std::string_view header = header_;
  const std::size_t size = header.size();
  if (header.substr(0, text_start.size()) == text_start.substr(0, size)) {
    if (byte == '\n') return read_line();
    return size < line_bytes_max ? Verdict::need_more : refuse("the line has more than 107 bytes");
  }
  if (header.substr(0, binary_start.size()) != binary_start.substr(0, size)) {
    return refuse("the connection does not begin with a PROXY protocol header");
  }
  if (size < binary_head_bytes) return Verdict::need_more;
  const std::size_t whole = binary_head_bytes + two_bytes_at(header, 14);
  if (whole > header_bytes_max) return refuse("the header has more than 4096 bytes");
  return size < whole ? Verdict::need_more : read_binary();
}

ProxyHeaderReader::Verdict ProxyHeaderReader::refuse(std::string_view fault) {
  fault_ = fault;
  return Verdict::refused;
}

ProxyHeaderReader::Verdict ProxyHeaderReader::read_line() {
  std::string_view line = header_;
  if (!line.ends_with("\r\n")) return refuse("the line does not end in CRLF");
  line.remove_suffix(2);
  line.remove_prefix(std::min(text_start.size(), line.size()));
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") return Verdict::complete;  // the rest of the line is to be ignored
  if (protocol != "TCP4" && protocol != "TCP6")
    return refuse("the protocol is neither TCP4, TCP6 nor UNKNOWN");
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const std::string source = parse_address(family, take_word(line));
  const std::string destination = parse_address(family, take_word(line));
  const auto source_port = parse_port(take_word(line));
  const auto destination_port = parse_port(line);
  if (source.empty() || destination.empty() || !source_port || !destination_port) {
    return refuse("the line is not made of two addresses and two ports");
  }
  address_ = numeric(source);
  port_ = *source_port;
  return Verdict::complete;
}

ProxyHeaderReader::Verdict ProxyHeaderReader::read_binary() {
  const std::string_view header = header_;
  const std::uint8_t version_and_command = byte_at(header, 12);
  const std::uint8_t family = byte_at(header, 13);
  std::string_view rest = header.substr(binary_head_bytes);
  if (version_and_command >> 4U != 2) return refuse("the version is neither 1 nor 2");
  if ((version_and_command & 0x0fU) == 0) return Verdict::complete;  // LOCAL: the rest is to be ignored
  if ((version_and_command & 0x0fU) != 1) return refuse("the command is neither LOCAL nor PROXY");
  if (family >> 4U > 3 || (family & 0x0fU) > 2) return refuse("the address family is not known");
  // Each family has two addresses, and two ports if it has ports.
  constexpr std::array<std::size_t, 4> address_bytes{0, sizeof(in_addr), sizeof(in6_addr), 108};
  const bool is_ip = family >> 4U == 1 || family >> 4U == 2;
  const std::size_t one = address_bytes.at(family >> 4U);
  const std::size_t both = 2 * one + (is_ip ? 4 : 0);
  if (rest.size() < both) return refuse("the addresses are cut short");
  if (!read_fields(rest.substr(both))) return refuse("a field (TLV) is cut short");
  if (is_ip && (family & 0x0fU) == 1) {
    address_ = numeric(rest.substr(0, one));
    port_ = static_cast<std::uint16_t>(two_bytes_at(rest, 2 * one));
  }
  return Verdict::complete;
}

/// Type, length in two bytes, value (section 2.2.6). Only whether the client used TLS is of interest.
bool ProxyHeaderReader::read_fields(std::string_view fields) {
  constexpr std::size_t head_bytes = 3;
  while (!fields.empty()) {
    if (fields.size() < head_bytes) return false;
    const std::size_t size = two_bytes_at(fields, 1);
    if (fields.size() - head_bytes < size) return false;
    const std::string_view value = fields.substr(head_bytes, size);
    if (byte_at(fields, 0) == type_ssl && !value.empty()) is_secure_ = (byte_at(value, 0) & client_ssl) != 0;
    fields.remove_prefix(head_bytes + size);
  }
  return true;
}

}  // namespace roomcast::net

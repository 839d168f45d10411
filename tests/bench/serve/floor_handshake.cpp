#include "serve/floor_handshake.h"

#include <openssl/evp.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

namespace roomcast::bench::floor {

namespace {

/// The value when `line` is the field `name` (with its colon).
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (line.size() < name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0)
    return std::nullopt;
  line.remove_prefix(name.size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line.substr(0, line.find_last_not_of(" \t") + 1);
}

}  // namespace

std::size_t head_bytes(std::string_view input) {
  constexpr std::string_view end = "\r\n\r\n";
  const std::size_t at = input.find(end);
  return at == std::string_view::npos ? 0 : at + end.size();
}

FloorRequest read_head(std::string_view head) {
  FloorRequest request;
  constexpr std::string_view get = "GET ";
  if (!head.starts_with(get)) return request;
  request.path = head.substr(get.size(), head.find_first_of(" ?\r", get.size()) - get.size());
  for (;;) {
    head.remove_prefix(head.find('\n') + 1);
    const std::string_view line = head.substr(0, head.find('\r'));
    if (line.empty()) return request;
    if (const auto key = value_of(line, "Sec-WebSocket-Key:")) request.key = *key;
    if (const auto extensions = value_of(line, "Sec-WebSocket-Extensions:");
        extensions && request.extensions.empty())
      request.extensions = *extensions;
  }
}

bool offers_deflate(std::string_view extensions) {
  return extensions.find("permessage-deflate") != std::string_view::npos &&
         extensions.find("server_max_window_bits") == std::string_view::npos;
}

void FloorHandshake::Free::operator()(evp_md_st* algorithm) const { EVP_MD_free(algorithm); }
void FloorHandshake::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

FloorHandshake::FloorHandshake() : sha1_(EVP_MD_fetch(nullptr, "SHA1", nullptr)), digest_(EVP_MD_CTX_new()) {
  if (!sha1_ || !digest_) throw std::runtime_error("OpenSSL has no SHA-1 here");
}

std::string FloorHandshake::switching_protocols(std::string_view key, bool deflate) {
  std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  append_accept_key(head, key);
  if (deflate) {
    head +=
        "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover";
  }
  return head += "\r\n\r\n";
}

/// RFC 6455 section 4.2.2.
void FloorHandshake::append_accept_key(std::string& out, std::string_view key) {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, 20> hash{};
  EVP_DigestInit_ex2(digest_.get(), sha1_.get(), nullptr);
  EVP_DigestUpdate(digest_.get(), key.data(), key.size());
  EVP_DigestUpdate(digest_.get(), guid.data(), guid.size());
  EVP_DigestFinal_ex(digest_.get(), hash.data(), nullptr);
  std::array<unsigned char, 29> text{};  // with the zero that OpenSSL puts behind it
  const int size = EVP_EncodeBlock(text.data(), hash.data(), static_cast<int>(hash.size()));
  out.append(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
}

}  // namespace roomcast::bench::floor

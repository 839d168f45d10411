#include "transport/body_coding.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace roomcast::transport {

namespace {

// RFC 1952 section 2.3: DEFLATE, no flags, no time, no extra flags, unknown operating system.
constexpr std::string_view gzip_header{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10};

}  // namespace

void BodyCoding::append_start(std::string& out) const {
  if (deflater_ != nullptr) append_coded(gzip_header, out);
}

void BodyCoding::append(std::string_view content, std::string& out) const {
  // A chunk of no bytes would be the last one.
  if (content.empty()) return;
  if (deflater_ == nullptr) return append_coded(content, out);
  std::string blocks;
  deflater_->compress(content, blocks);
  blocks += ws::deflate_tail;
  append_coded(blocks, out);
}

void BodyCoding::append_stored(std::string_view content, std::string& out) const {
  if (content.empty()) return;
  if (deflater_ == nullptr) return append_coded(content, out);
  constexpr std::size_t block_bytes = 65'535;
  std::string blocks;
  blocks.reserve(content.size() + (content.size() / block_bytes + 1) * 5);
  for (; !content.empty(); content.remove_prefix(std::min(content.size(), block_bytes))) {
    const std::string_view block = content.substr(0, block_bytes);
    // Not the last one, stored, up to the end of the byte; then the length, and the same inverted.
    blocks += '\0';
    for (const std::size_t length : {block.size(), ~block.size()}) {
      blocks += static_cast<char>(length & 0xFFU);
      blocks += static_cast<char>(length >> 8U & 0xFFU);
    }
    blocks += block;
  }
  append_coded(blocks, out);
}

void BodyCoding::append_end(std::string& out) const {
  if (length_ == Length::chunked) out += "0\r\n\r\n";
}

void BodyCoding::append_coded(std::string_view bytes, std::string& out) const {
  if (length_ == Length::until_close) {
    out += bytes;
    return;
  }
  std::array<char, 16> size{};
  const auto [end, error] = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16);
  out.append(size.data(), end);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

}  // namespace roomcast::transport

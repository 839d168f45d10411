#pragma once

#include <zlib.h>

#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace roomcast::test {

/// The content of a chunked body (RFC 9112 section 7.1) so far, and whether it is complete. Throws for an
/// invalid body.
struct Dechunked {
  std::string content;
  bool ended = false;

  explicit Dechunked(std::string_view wire) {
    while (!wire.empty()) {
      if (ended) throw std::runtime_error("bytes behind the last chunk");
      std::size_t size = 0;
      const auto [end, error] = std::from_chars(wire.data(), wire.data() + wire.size(), size, 16);
      if (error != std::errc()) throw std::runtime_error("no chunk size");
      wire.remove_prefix(static_cast<std::size_t>(end - wire.data()));
      take(wire, "\r\n");
      if (size > wire.size()) throw std::runtime_error("a chunk cut short");
      content += wire.substr(0, size);
      wire.remove_prefix(size);
      take(wire, "\r\n");
      ended = size == 0;
    }
  }

 private:
  static void take(std::string_view& wire, std::string_view expected) {
    if (!wire.starts_with(expected)) throw std::runtime_error("no end of line where one must be");
    wire.remove_prefix(expected.size());
  }
};

/// Inflates a gzip stream (RFC 1952) piece by piece, as browsers do.
class Gunzip {
 public:
  Gunzip() {
    constexpr int gzip_only = 15 + 16;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip() { inflateEnd(&stream_); }

  /// All output available now. Throws for an invalid gzip stream.
  std::string read(std::string_view bytes) {
    std::string input(bytes);
    std::string out;
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    do {
      std::array<char, 512> piece{};
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = piece.size();
      const int status = inflate(&stream_, Z_SYNC_FLUSH);
      if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END)
        throw std::runtime_error("not gzip");
      out.append(piece.data(), piece.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return out;
  }

 private:
  z_stream stream_{};
};

}  // namespace roomcast::test

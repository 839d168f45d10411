#include "base/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace roomcast::base {

namespace {

constexpr int gzip_window_bits = 15 + 16;  // 16: with gzip header and trailer
// Takes half the time of the default level, for a few percent more output. Adverse input may take 100 ns a
// byte, 30 at the fastest level: long texts, which would block the loop, are compressed at that.
constexpr int short_level = 5;
constexpr int long_level = 1;
constexpr std::size_t long_bytes = 16'384;
constexpr int memory_level = 8;

/// Owns a zlib stream.
struct Stream {
  explicit Stream(int level) {
    if (deflateInit2(&zlib, level, Z_DEFLATED, gzip_window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { deflateEnd(&zlib); }
  z_stream zlib{};
};

}  // namespace

std::string gzip(std::string_view bytes) {
  Stream stream(bytes.size() < long_bytes ? short_level : long_level);
  z_stream& zlib = stream.zlib;
  std::string out(deflateBound(&zlib, bytes.size()), '\0');
  std::size_t written = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    const auto piece = static_cast<uInt>(std::min(bytes.size(), most));
    const auto room = static_cast<uInt>(std::min(out.size() - written, most));
    // zlib takes a pointer to mutable input but does not write through it.
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib.avail_in = piece;
    zlib.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    zlib.avail_out = room;
    status = deflate(&zlib, piece == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    bytes.remove_prefix(piece - zlib.avail_in);
    written += room - zlib.avail_out;
  }
  out.resize(written);
  return out;
}

}  // namespace roomcast::base

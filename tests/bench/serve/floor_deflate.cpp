#include "serve/floor_deflate.h"

#include <zlib.h>

#include <stdexcept>

#include "serve/floor_frames.h"

namespace roomcast::bench::floor {

namespace {

/// What a sync flush ends with, and a sender leaves out (section 7.2.1).
constexpr std::string_view tail{"\0\0\xFF\xFF", 4};
constexpr int level = 6;
constexpr int memory_level = 8;

Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib only reads them
}

}  // namespace

struct FloorDeflate::Zlib {
  z_stream out{};
  z_stream in{};
};

FloorDeflate::FloorDeflate() : zlib_(std::make_unique<Zlib>()), decompressed_(max_frame_bytes + 1, '\0') {
  if (deflateInit2(&zlib_->out, level, Z_DEFLATED, -MAX_WBITS, memory_level, Z_DEFAULT_STRATEGY) != Z_OK ||
      inflateInit2(&zlib_->in, -MAX_WBITS) != Z_OK)
    throw std::runtime_error("zlib cannot be set up");
}

FloorDeflate::~FloorDeflate() {
  deflateEnd(&zlib_->out);
  inflateEnd(&zlib_->in);
}

std::string_view FloorDeflate::compress(std::string_view message) {
  z_stream& out = zlib_->out;
  compressed_.resize(deflateBound(&out, static_cast<uLong>(message.size())) + tail.size());
  out.next_in = bytes_of(message);
  out.avail_in = static_cast<uInt>(message.size());
  out.next_out = bytes_of(compressed_);
  out.avail_out = static_cast<uInt>(compressed_.size());
  ::deflate(&out, Z_SYNC_FLUSH);
  const std::size_t size = compressed_.size() - out.avail_out - tail.size();
  deflateReset(&out);
  return std::string_view(compressed_).substr(0, size);
}

std::optional<std::string_view> FloorDeflate::decompress(std::string_view payload) {
  z_stream& in = zlib_->in;
  in.next_out = bytes_of(decompressed_);
  in.avail_out = static_cast<uInt>(decompressed_.size());
  int status = Z_OK;
  for (const std::string_view piece : {payload, tail}) {
    in.next_in = bytes_of(piece);
    in.avail_in = static_cast<uInt>(piece.size());
    status = inflate(&in, Z_SYNC_FLUSH);
    if (status != Z_OK || in.avail_in > 0) break;
  }
  const bool whole = (status == Z_OK || status == Z_BUF_ERROR) && in.avail_in == 0 && in.avail_out > 0;
  const std::size_t size = decompressed_.size() - in.avail_out;
  inflateReset(&in);
  if (!whole) return std::nullopt;
  return std::string_view(decompressed_).substr(0, size);
}

}  // namespace roomcast::bench::floor

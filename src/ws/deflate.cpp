#include "ws/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <stdexcept>

namespace roomcast::ws {

namespace {

// Negative: raw DEFLATE data without zlib header.
constexpr int largest_raw_window_bits = -15;
constexpr std::size_t chunk_bytes = 16384;
// A bit of z_stream::data_type after inflate.
constexpr int in_final_block = 64;

uInt clamp_to_zlib(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

Bytef* zlib_input(std::string_view bytes) {
  // zlib takes a pointer to mutable input but does not write through it.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

}  // namespace

struct Inflater::Zlib {
  z_stream stream{};
};

Inflater::Inflater() : zlib_(std::make_unique<Zlib>()) {
  if (inflateInit2(&zlib_->stream, largest_raw_window_bits) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { inflateEnd(&zlib_->stream); }

void Inflater::reset() {
  inflateReset(&zlib_->stream);
  at_stream_end_ = false;
}

Inflater::Step Inflater::inflate(std::string_view& input, std::span<char> out) {
  z_stream& stream = zlib_->stream;
  Step step;
  bool goes_on = true;
  while (goes_on) {
    if (at_stream_end_ && !input.empty()) restart_with_window();
    stream.next_in = zlib_input(input);
    stream.avail_in = clamp_to_zlib(input.size());
    const auto room = out.subspan(step.written);
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = clamp_to_zlib(room.size());
    // Stops after each block, so that blocks can be counted.
    const int status = ::inflate(&stream, Z_BLOCK);
    input.remove_prefix(static_cast<std::size_t>(stream.next_in - zlib_input(input)));
    step.written += static_cast<std::size_t>(stream.next_out - reinterpret_cast<Bytef*>(room.data()));
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_STREAM_END) at_stream_end_ = true;
    // Z_BUF_ERROR only means that input or space is used up.
    step.valid = status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
    if (!step.valid) return step;
    const bool is_behind_block = status != Z_STREAM_END && is_between_blocks();
    step.blocks += is_behind_block ? 1U : 0U;
    // inflate reports that a final block ends the stream only in another call, even without further input.
    const bool may_end = is_behind_block && (stream.data_type & in_final_block) != 0;
    goes_on = step.written < out.size() && (!input.empty() || may_end);
  }
  return step;
}

bool Inflater::is_between_blocks() const {
  constexpr int after_end_of_block = 128;
  return (zlib_->stream.data_type & after_end_of_block) != 0;
}

void Inflater::restart_with_window() {
  // A final block ends the stream for zlib; for the extension it is a block like any other, and the next one
  // may refer to the window (RFC 7692 section 7.2.3.4). inflateReset would clear it, and restoring it as a
  // dictionary would let a peer cause a copy of 32 KiB with every two bytes it sends.
  inflateResetKeep(&zlib_->stream);
  at_stream_end_ = false;
}

void InflaterPool::GiveBack::operator()(Inflater* inflater) const {
  std::unique_ptr<Inflater> owned(inflater);
  if (pool->spare_.size() >= pool->max_spare_) return;
  owned->reset();
  pool->spare_.push_back(std::move(owned));
}

InflaterPool::Lease InflaterPool::borrow() {
  if (spare_.empty()) return Lease(std::make_unique<Inflater>().release(), GiveBack{this});
  Lease lease(spare_.back().release(), GiveBack{this});
  spare_.pop_back();
  return lease;
}

struct Deflater::Zlib {
  z_stream stream{};
};

Deflater::Deflater(const DeflaterSettings& settings)
    : zlib_(std::make_unique<Zlib>()), level_(settings.level), level_now_(settings.level) {
  // zlib would accept level 0, and for window_bits 8 use another window or refuse, depending on its version.
  if (settings.window_bits < 9 || settings.window_bits > 15) {
    throw std::invalid_argument("window_bits must be 9 to 15");
  }
  if (settings.level < 1 || settings.level > 9) throw std::invalid_argument("level must be 1 to 9");
  if (settings.memory_level < 1 || settings.memory_level > 9) {
    throw std::invalid_argument("memory_level must be 1 to 9");
  }
  const int status = deflateInit2(&zlib_->stream, settings.level, Z_DEFLATED, -settings.window_bits,
                                  settings.memory_level, Z_DEFAULT_STRATEGY);
  if (status != Z_OK) throw std::bad_alloc();
}

Deflater::~Deflater() { deflateEnd(&zlib_->stream); }

void Deflater::compress(std::string_view message, std::string& out) {
  set_level(message.size() < long_bytes ? level_ : 1);
  z_stream& stream = zlib_->stream;
  std::array<char, chunk_bytes> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by deflate
  do {
    const uInt piece = clamp_to_zlib(message.size());
    stream.next_in = zlib_input(message);
    stream.avail_in = piece;
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = clamp_to_zlib(chunk.size());
    ::deflate(&stream, piece == message.size() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    message.remove_prefix(piece - stream.avail_in);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  } while (!message.empty() || stream.avail_out == 0);
  out.resize(out.size() - deflate_tail.size());
  deflateReset(&stream);
}

/// Sets the level between two messages, when that costs next to nothing.
void Deflater::set_level(int level) {
  if (level == level_now_) return;
  deflateParams(&zlib_->stream, level, Z_DEFAULT_STRATEGY);
  level_now_ = level;
}

}  // namespace roomcast::ws

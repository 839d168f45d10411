#include "ws/message_assembly.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

namespace roomcast::ws {

namespace {

constexpr std::size_t inflate_chunk_bytes = 16384;
// The amount that is inflated in one step even if the allowance is nearly used up.
constexpr std::size_t least_inflated_bytes = 2048;
constexpr std::size_t smallest_allocation_bytes = 64;

// The cost of a DEFLATE block besides its output: up to two microseconds if it has its own Huffman codes,
// much less if it is too short for that.
constexpr std::size_t block_units = 512;
constexpr std::size_t units_per_block_byte = 48;

}  // namespace

std::uint64_t max_compressed_bytes(const ReaderLimits& limits) {
  constexpr std::uint64_t slack = 16384;
  constexpr std::uint64_t largest_payload = std::uint64_t{1} << 62U;
  return std::min(limits.message_bytes, largest_payload) / 4 * 5 + slack;
}

void MessageAssembly::begin(bool is_text, Inflater* inflater) {
  state_ = State::open;
  is_text_ = is_text;
  inflater_ = inflater;
}

Fault MessageAssembly::check_next_frame(const ReaderLimits& limits) const {
  return fragments_ >= limits.fragments ? Fault::too_many_fragments : Fault::none;
}

Fault MessageAssembly::check_frame(std::uint64_t payload_bytes, const ReaderLimits& limits) const {
  const auto most = inflater_ != nullptr ? max_compressed_bytes(limits) : limits.message_bytes;
  const bool is_too_big = received_bytes_ > most || payload_bytes > most - received_bytes_;
  return is_too_big ? Fault::message_too_big : Fault::none;
}

void MessageAssembly::add_frame(std::uint64_t payload_bytes) {
  ++fragments_;
  received_bytes_ += payload_bytes;
}

Fault MessageAssembly::add(std::string_view piece, const ReaderLimits& limits,
                           base::WorkAllowance& allowance) {
  if (inflater_ != nullptr) return piece.empty() ? Fault::none : inflate(piece, limits, allowance);
  allowance.spend(piece.size());
  return append(piece, limits);
}

Fault MessageAssembly::take_rest(const ReaderLimits& limits, base::WorkAllowance& allowance) {
  has_rest_ = false;
  const std::string rest = std::exchange(rest_, {});
  return inflate(rest, limits, allowance);
}

Fault MessageAssembly::finish(const ReaderLimits& limits) {
  // A compressor that had nothing to flush produces an empty payload, and one that ends with a final block
  // may omit the empty block after it. Both are unambiguous.
  const bool ends_by_itself = inflater_ == nullptr || received_bytes_ == 0 || inflater_->is_at_stream_end();
  if (!ends_by_itself) {
    // All output was taken: the tail adds next to nothing.
    base::WorkAllowance unlimited(std::numeric_limits<std::size_t>::max());
    if (const Fault fault = inflate(deflate_tail, limits, unlimited); fault != Fault::none) return fault;
    if (!inflater_->is_between_blocks()) return Fault::bad_compression;
  }
  if (is_text_ && !utf8_.is_complete()) return Fault::text_not_utf8;
  state_ = State::finished;
  inflater_ = nullptr;
  return Fault::none;
}

Fault MessageAssembly::inflate(std::string_view piece, const ReaderLimits& limits,
                               base::WorkAllowance& allowance) {
  std::array<char, inflate_chunk_bytes>
      chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): zlib fills it
  for (;;) {
    const std::span<char> room =
        std::span(chunk).first(std::clamp(allowance.left(), least_inflated_bytes, chunk.size()));
    const std::size_t before = piece.size();
    const auto [written, blocks, valid] = inflater_->inflate(piece, room);
    const std::size_t taken = before - piece.size();
    allowance.spend(written + taken + std::min(units_per_block_byte * taken, block_units * blocks));
    // Valid data before the error is processed first, however the input was split.
    if (const Fault fault = append({chunk.data(), written}, limits); fault != Fault::none) return fault;
    if (!valid) return Fault::bad_compression;
    if (piece.empty() && written < room.size()) return Fault::none;
    if (allowance.is_used_up()) {
      has_rest_ = true;
      rest_ = piece;
      return Fault::none;
    }
  }
}

Fault MessageAssembly::append(std::string_view piece, const ReaderLimits& limits) {
  const auto room = limits.message_bytes - std::min<std::uint64_t>(bytes_.size(), limits.message_bytes);
  const auto fitting = piece.substr(0, room);
  if (is_text_ && !utf8_.feed(fitting)) return Fault::text_not_utf8;
  if (fitting.size() < piece.size()) return Fault::message_too_big;

  const std::size_t needed = bytes_.size() + piece.size();
  if (needed > bytes_.capacity()) {
    // Doubling is bounded by the received size, and the limit bounds the last step.
    const auto doubled = std::max(2 * bytes_.capacity(), smallest_allocation_bytes);
    bytes_.reserve(std::max<std::size_t>(needed, std::min<std::uint64_t>(doubled, limits.message_bytes)));
  }
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
  return Fault::none;
}

}  // namespace roomcast::ws

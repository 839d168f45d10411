#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::ws {

/// The bytes that a sender removes from the end of a compressed message (RFC 7692 section 7.2.1).
constexpr std::string_view deflate_tail{"\x00\x00\xff\xff", 4};

/// Decompresses messages of permessage-deflate. Accepts streams of any window size, one or several blocks,
/// and final blocks (BFINAL). Takes about 40 KiB once used. Throws std::bad_alloc when out of memory.
class Inflater {
 public:
  struct Step {
    std::size_t written = 0;
    std::size_t blocks = 0;  ///< DEFLATE blocks that have ended: each has a fixed cost
    bool valid = true;       ///< false: the data after the bytes written is invalid
  };

  Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  /// Inflates from the front of `input`, which is shortened, into `out`, which must not be empty. Finished
  /// when `input` is empty and `out` was not filled.
  [[nodiscard]] Step inflate(std::string_view& input, std::span<char> out);
  /// Whether the data so far ends with a final block. The tail need not be fed then, and further input begins
  /// a new stream that may refer to the window of the previous one.
  [[nodiscard]] bool is_at_stream_end() const { return at_stream_end_; }
  /// Whether the data so far ends between two blocks, as it must after the tail.
  [[nodiscard]] bool is_between_blocks() const;
  /// Clears the window.
  void reset();

 private:
  struct Zlib;

  void restart_with_window();

  std::unique_ptr<Zlib> zlib_;
  bool at_stream_end_ = false;
};

/// Lends inflaters for the duration of a message, so that idle connections hold none. Must outlive what it
/// lends.
class InflaterPool {
 public:
  struct GiveBack {
    InflaterPool* pool = nullptr;
    void operator()(Inflater* inflater) const;
  };
  using Lease = std::unique_ptr<Inflater, GiveBack>;

  /// Keeps at most `max_spare` unused inflaters.
  explicit InflaterPool(std::size_t max_spare = 8) : max_spare_(max_spare) {}
  InflaterPool(const InflaterPool&) = delete;
  InflaterPool& operator=(const InflaterPool&) = delete;
  ~InflaterPool() = default;

  /// An inflater with an empty window. Throws std::bad_alloc when out of memory.
  [[nodiscard]] Lease borrow();
  [[nodiscard]] std::size_t spare() const { return spare_.size(); }

 private:
  std::size_t max_spare_;
  std::vector<std::unique_ptr<Inflater>> spare_;
};

struct DeflaterSettings {
  int window_bits = 15;  ///< 9–15: the LZ77 window is 2^window_bits bytes
  int level = 6;         ///< 1–9: from fastest to smallest
  int memory_level = 8;  ///< 1–9: about 2^(memory_level + 9) bytes beside 2^(window_bits + 2) for the window
};

/// Compresses messages for any number of receivers: no state is kept between messages
/// (server_no_context_takeover). Long messages are compressed at level 1: a byte of adverse content may take
/// 200 ns at level 6, and 30 at level 1.
class Deflater {
 public:
  /// Throws std::invalid_argument for settings out of range and std::bad_alloc when out of memory.
  explicit Deflater(const DeflaterSettings& settings);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  static constexpr std::size_t long_bytes = 16'384;

  /// Appends `message`, compressed and without its tail: the payload of a frame with RSV1.
  void compress(std::string_view message, std::string& out);

 private:
  struct Zlib;
  void set_level(int level);

  std::unique_ptr<Zlib> zlib_;
  int level_;
  int level_now_;
};

}  // namespace roomcast::ws

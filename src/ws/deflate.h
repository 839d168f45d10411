#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::ws {

/// What a sender has cut off the end of a compressed message (RFC 7692 section 7.2.1).
constexpr std::string_view deflate_tail{"\x00\x00\xff\xff", 4};

/// Decompresses messages of permessage-deflate. Takes streams of any window size, of one block or many, final
/// blocks (BFINAL) among them. About 40 KiB once used. Throws std::bad_alloc when out of memory.
class Inflater {
 public:
  struct Step {
    std::size_t written = 0;
    std::size_t blocks = 0;  ///< DEFLATE blocks that have ended: each costs something, however short it is
    bool valid = true;       ///< false: what follows the bytes written is not DEFLATE data
  };

  Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  /// Inflates from the front of `input`, which it shortens, into `out`, which must not be empty. All has been
  /// said when `input` is empty and `out` was not filled.
  [[nodiscard]] Step inflate(std::string_view& input, std::span<char> out);
  /// Whether the data so far ends with a final block. The tail need not be fed then, and what is fed begins
  /// a new stream that may refer to the window of the one before.
  [[nodiscard]] bool is_at_stream_end() const { return at_stream_end_; }
  /// Whether the data so far ends between two blocks, as it must once the tail has been fed.
  [[nodiscard]] bool is_between_blocks() const;
  /// Forgets the window.
  void reset();

 private:
  struct Zlib;

  void restart_with_window();

  std::unique_ptr<Zlib> zlib_;
  bool at_stream_end_ = false;
};

/// Inflaters lent out for the length of a message, so that connections which say nothing hold none. Must
/// outlive what it lends.
class InflaterPool {
 public:
  struct GiveBack {
    InflaterPool* pool = nullptr;
    void operator()(Inflater* inflater) const;
  };
  using Lease = std::unique_ptr<Inflater, GiveBack>;

  /// Keeps at most `max_spare` inflaters that nobody uses.
  explicit InflaterPool(std::size_t max_spare = 8) : max_spare_(max_spare) {}
  InflaterPool(const InflaterPool&) = delete;
  InflaterPool& operator=(const InflaterPool&) = delete;
  ~InflaterPool() = default;

  /// One with an empty window. Throws std::bad_alloc when out of memory.
  [[nodiscard]] Lease borrow();
  [[nodiscard]] std::size_t spare() const { return spare_.size(); }

 private:
  std::size_t max_spare_;
  std::vector<std::unique_ptr<Inflater>> spare_;
};

struct DeflaterSettings {
  int window_bits = 15;  ///< 9–15: the LZ77 window is 2^window_bits bytes
  int level = 6;         ///< 1–9: speed to size
  int memory_level = 8;  ///< 1–9: about 2^(memory_level + 9) bytes beside 2^(window_bits + 2) for the window
};

/// Compresses messages for any number of receivers: nothing is remembered from one message to the next
/// (server_no_context_takeover). Long messages are compressed at level 1: of adverse content a byte may take
/// 200 ns at level 6, and 30 at that.
class Deflater {
 public:
  /// Throws std::invalid_argument for settings out of range and std::bad_alloc when out of memory.
  explicit Deflater(const DeflaterSettings& settings);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  static constexpr std::size_t long_bytes = 16'384;

  /// Appends `message` compressed and without its tail: the payload of a frame with RSV1 set.
  void compress(std::string_view message, std::string& out);

 private:
  struct Zlib;
  void set_level(int level);

  std::unique_ptr<Zlib> zlib_;
  int level_;
  int level_now_;
};

}  // namespace roomcast::ws

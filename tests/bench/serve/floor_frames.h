#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace roomcast::bench::floor {

/// The frames that the floor understands (RFC 6455 section 5): whole messages and control frames. Sans-I/O.
struct ClientFrame {
  std::uint8_t opcode = 0;
  bool compressed = false;  ///< RSV1, which permessage-deflate uses
  std::span<char> payload;  ///< unmasked where it lay
};

enum class FrameTaken { whole, not_yet, refused };

constexpr std::size_t max_frame_bytes = 65536;

/// Takes one frame off the front of `input`, or leaves `input` as it is when the frame is not whole yet.
/// Refuses what a floor can do without: fragments, payloads of more than `max_frame_bytes`, bytes without a
/// mask.
[[nodiscard]] FrameTaken take_frame(std::span<char>& input, ClientFrame& frame);

/// Appends a whole, unmasked frame.
void append_frame(std::string& out, std::uint8_t opcode, bool compressed, std::string_view payload);

/// What of a connection's bytes could not be used yet.
class Leftover {
 public:
  /// What was left with `fresh` behind it; `fresh` itself when nothing was. Valid until `keep`.
  [[nodiscard]] std::span<char> with(std::span<char> fresh);
  /// `rest` is the end of what `with` gave.
  void keep(std::span<const char> rest);

 private:
  std::string bytes_;
};

}  // namespace roomcast::bench::floor

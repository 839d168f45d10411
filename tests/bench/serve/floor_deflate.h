#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace roomcast::bench::floor {

/// permessage-deflate (RFC 7692) without context takeover: one compressor and one decompressor serve all
/// connections. Level 6 and memory level 8, zlib's defaults and roomcast's.
class FloorDeflate {
 public:
  FloorDeflate();
  FloorDeflate(const FloorDeflate&) = delete;
  FloorDeflate& operator=(const FloorDeflate&) = delete;
  ~FloorDeflate();

  /// The payload of a compressed frame; valid until the next call.
  [[nodiscard]] std::string_view compress(std::string_view message);
  /// The message of a compressed frame, valid until the next call; nothing when it is broken or has more
  /// than `max_frame_bytes`.
  [[nodiscard]] std::optional<std::string_view> decompress(std::string_view payload);

 private:
  struct Zlib;
  std::unique_ptr<Zlib> zlib_;
  std::string compressed_;
  std::string decompressed_;
};

}  // namespace roomcast::bench::floor

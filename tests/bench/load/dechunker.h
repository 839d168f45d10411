#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace roomcast::bench {

/// Takes the chunked transfer coding (RFC 9112 section 7.1) off a body, without copying: each call gives the
/// next piece of the content that lies in `bytes`.
class Dechunker {
 public:
  enum class Found : std::uint8_t {
    part,     ///< give the same again with more behind it
    content,  ///< drop `used` bytes; `content` may be empty
    end,      ///< the same, and the body is over; the dechunker is as new
    bad,      ///< this is no chunked body
  };
  struct Piece {
    Found found = Found::part;
    std::size_t used = 0;
    std::string_view content;  ///< within the bytes given
  };
  [[nodiscard]] Piece take(std::string_view bytes);

 private:
  [[nodiscard]] Piece take_size(std::string_view bytes);

  std::uint32_t left_ = 0;        ///< of the chunk
  bool before_line_end_ = false;  ///< the chunk's content is over, its line end is to come
};

}  // namespace roomcast::bench

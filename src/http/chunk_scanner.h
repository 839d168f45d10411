#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "http/head_scanner.h"
#include "http/limits.h"

namespace roomcast::http {

/// Validates the framing of a chunked body (RFC 9112 section 7.1) byte by byte before llhttp decodes it:
/// every line ends in CRLF, sizes are hexadecimal and within limits.body_bytes, the total size of extensions
/// is bounded (they are ignored), trailers follow the rules of header fields. So the end of the body is
/// determined here, strictly.
class ChunkScanner {
 public:
  /// `limits` must outlive the scanner.
  explicit ChunkScanner(const ParserLimits& limits)
      : limits_(limits), trailers_(limits, HeadScanner::Part::trailers) {}

  /// Reads `bytes` up to the end of the body; `used` is set to the number of bytes that belong to it. Appends
  /// the valid ones to `plain`, without extensions: llhttp 8.1 rejects some that the standard allows.
  HeadScanner::Verdict scan(std::string_view bytes, std::size_t& used, std::string& plain);
  [[nodiscard]] const base::Refusal& problem() const { return problem_; }

  /// The number of bytes read so far that are not chunk data.
  [[nodiscard]] std::size_t framing_bytes() const { return framing_bytes_; }

  static constexpr std::size_t extension_bytes =
      1024;  ///< limit of all chunk extensions of one body together

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailers,
    complete,
    refused
  };

  void step(unsigned char byte);
  void size(unsigned char byte);
  void finish_size(State next);
  void extension(unsigned char byte);
  void expect(unsigned char byte, char wanted, State next);
  void refuse(base::Refusal problem);

  const ParserLimits& limits_;
  State state_ = State::size;
  std::uint32_t digits_ = 0;
  std::uint64_t left_ = 0;   // bytes of the current chunk to come
  std::uint64_t total_ = 0;  // size of all chunks so far, including the current one
  std::size_t extension_total_ = 0;
  std::size_t framing_bytes_ = 0;
  HeadScanner trailers_;
  base::Refusal problem_;
};

}  // namespace roomcast::http

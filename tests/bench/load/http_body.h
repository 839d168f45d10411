#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace roomcast::bench {

/// Where the content of an HTTP answer lies in the bytes behind its head, and where it ends (RFC 9112 section
/// 6). Keeps and copies nothing: a few bytes of state, whatever the bytes are cut into.
class HttpBody {
 public:
  enum class Length : std::uint8_t {
    endless,  ///< up to the end of the connection, or of another protocol from here on
    counted,  ///< Content-Length
    chunked,  ///< Transfer-Encoding: chunked
  };
  HttpBody() = default;
  explicit HttpBody(Length length, std::uint64_t bytes = 0) : left_(bytes), length_(length) {}

  struct Piece {
    std::size_t used = 0;      ///< so many of the bytes are done with: all, unless the body is over before
    std::string_view content;  ///< the next of it; may be empty
    bool over = false;         ///< this was the last of the body
    bool bad = false;          ///< this is no chunked body
  };
  /// Takes the next piece from the front of `bytes`, which are not empty. To be called until all are used.
  [[nodiscard]] Piece take(std::string_view bytes);
  /// It has ended, or never had anything (Content-Length: 0), which no piece could say.
  [[nodiscard]] bool is_over() const { return length_ == Length::counted && left_ == 0; }

 private:
  /// What is next in a chunked body.
  enum class Next : std::uint8_t {
    size,
    extension,
    size_end,
    content,
    content_end,
    content_end_lf,
    last_end,
    last_end_lf
  };
  [[nodiscard]] Piece take_content(std::string_view bytes);
  [[nodiscard]] Piece take_chunked(std::string_view bytes);
  [[nodiscard]] bool step(char byte);
  [[nodiscard]] bool expect(char byte, char expected, Next next);
  [[nodiscard]] bool take_digit(char byte);

  std::uint64_t left_ = 0;  ///< of the content, or of the chunk
  Length length_ = Length::endless;
  Next next_ = Next::size;
  bool has_digit_ = false;  ///< of the chunk's size
};

}  // namespace roomcast::bench

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace roomcast::http {

/// Finds the Origin field in a request head that was refused before it was parsed, because it exceeds a limit
/// or is malformed, so that the page that sent it may read the reason. Sans-I/O; stores one line at most.
class OriginFinder {
 public:
  /// Reads more of the head.
  void feed(std::string_view bytes);
  /// Whether the search has ended: the field was found, the head has ended, or it is too long.
  [[nodiscard]] bool is_over() const { return over_; }
  /// The value of the field; empty if it was not found.
  [[nodiscard]] std::string_view origin() const { return origin_; }

  static constexpr std::size_t bytes_max = 65'536;

 private:
  void finish_line();

  static constexpr std::size_t line_bytes_max = 512;  // of a line that may be the field
  std::string line_;                                  // the first bytes of the current line
  std::string origin_;
  std::size_t bytes_ = 0;
  std::size_t lines_ = 0;
  bool over_ = false;
};

}  // namespace roomcast::http

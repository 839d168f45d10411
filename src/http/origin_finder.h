#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace roomcast::http {

/// Finds the Origin field in a request head that was refused before it was parsed, because a limit was
/// exceeded or it is malformed: so that the page which sent it may read why. Sans-I/O; keeps one line at
/// most.
class OriginFinder {
 public:
  /// Looks at more of the head.
  void feed(std::string_view bytes);
  /// There is nothing left to look for: it was found, the head has ended, or it is too long.
  [[nodiscard]] bool is_over() const { return over_; }
  /// The field's value; empty if it has not been found.
  [[nodiscard]] std::string_view origin() const { return origin_; }

  static constexpr std::size_t bytes_max = 65'536;

 private:
  void finish_line();

  static constexpr std::size_t line_bytes_max = 512;  // of a line that may be the one
  std::string line_;                                  // the one under way, its first bytes
  std::string origin_;
  std::size_t bytes_ = 0;
  std::size_t lines_ = 0;
  bool over_ = false;
};

}  // namespace roomcast::http

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "http/limits.h"

namespace roomcast::http {

/// Validates the raw bytes of a request head, or of a trailer section, one by one, strictly by RFC 9112
/// sections 2.2, 3 and 5, before llhttp gets them: anything that one reader takes for a line end and another
/// does not (a bare CR or LF, NUL, obs-fold, a space before the colon) is refused here. Limits are applied as
/// bytes arrive, so that nothing beyond a limit is stored.
class HeadScanner {
 public:
  enum class Part : std::uint8_t { head, trailers };
  enum class Verdict : std::uint8_t { need_more, complete, refused };

  /// `limits` must outlive the scanner. Trailers are bounded by header_bytes and header_count too.
  explicit HeadScanner(const ParserLimits& limits, Part part = Part::head);

  /// Reads `bytes` up to the end of the head; `used` is set to the number of bytes that belong to it.
  Verdict scan(std::string_view bytes, std::size_t& used);
  /// Starts over with the next head.
  void restart();
  /// The reason of a refusal.
  [[nodiscard]] const base::Refusal& problem() const { return problem_; }
  /// Whether a request has begun; an empty line before it does not count (RFC 9112 section 2.2).
  [[nodiscard]] bool started() const { return state_ != State::start && state_ != State::start_lf; }
  /// The number of header fields so far.
  [[nodiscard]] std::size_t fields() const { return header_count_; }

 private:
  enum class State : std::uint8_t {
    start,     // nothing yet; one empty line is allowed
    start_lf,  // after the CR of that empty line
    method,
    target,
    version,
    line_lf,  // after the CR of the request line or a field line
    field_start,
    name,
    value,
    end_lf,  // after the CR of the empty line
    complete,
    refused,
  };

  /// Passes a complete valid request line at the front; returns its length, 0 if there is none.
  std::size_t pass_request_line(std::string_view bytes);
  /// Passes the complete valid field lines at the front; returns their length.
  std::size_t pass_fields(std::string_view bytes);
  /// Passes the bytes at the front that continue the current word.
  std::size_t pass_run(std::string_view bytes);
  void step(unsigned char byte);
  void start(unsigned char byte);
  void method(unsigned char byte);
  void target(unsigned char byte);
  void version(unsigned char byte);
  void field_start(unsigned char byte);
  void name(unsigned char byte);
  void value(unsigned char byte);
  void line_feed(unsigned char byte, State next);
  void finish_method();
  void finish_version();
  void count_header_byte();
  void refuse(base::Refusal problem);

  static constexpr std::size_t method_bytes = 24;  // the longest registered method has 17

  const ParserLimits* limits_;  // a pointer, so that scanners are assignable
  State state_;
  bool empty_line_seen_ = false;
  std::size_t length_ = 0;  // of the method, target or version so far
  std::size_t header_bytes_ = 0;
  std::size_t header_count_ = 0;
  std::array<char, method_bytes> word_{};
  base::Refusal problem_;
};

}  // namespace roomcast::http

#include "load/dechunker.h"

#include <algorithm>
#include <charconv>

namespace roomcast::bench {

namespace {

constexpr std::string_view line_end = "\r\n";
// Longer than any chunk's first line needs to be, extensions included.
constexpr std::size_t max_line_bytes = 256;

}  // namespace

Dechunker::Piece Dechunker::take(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (left_ > 0) {
    const std::string_view content = bytes.substr(0, left_);
    left_ -= static_cast<std::uint32_t>(content.size());
    before_line_end_ = left_ == 0;
    return {Found::content, content.size(), content};
  }
  if (!before_line_end_) return take_size(bytes);
  if (!line_end.starts_with(bytes.substr(0, line_end.size()))) return {Found::bad, 0, {}};
  if (bytes.size() < line_end.size()) return {};
  before_line_end_ = false;
  return {Found::content, line_end.size(), {}};
}

Dechunker::Piece Dechunker::take_size(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, max_line_bytes).find(line_end);
  if (end == std::string_view::npos) {
    return {bytes.size() < max_line_bytes ? Found::part : Found::bad, 0, {}};
  }
  std::uint32_t size = 0;
  const auto [stop, error] = std::from_chars(bytes.data(), bytes.data() + end, size, 16);
  const bool clean = stop == bytes.data() + end || *stop == ';';
  if (error != std::errc{} || !clean) return {Found::bad, 0, {}};
  left_ = size;
  if (size > 0) return {Found::content, end + line_end.size(), {}};
  // Trailers are not looked for: none of the servers under measurement sends any.
  const std::string_view rest = bytes.substr(end + line_end.size(), line_end.size());
  if (!line_end.starts_with(rest)) return {Found::bad, 0, {}};
  if (rest.size() < line_end.size()) return {};
  return {Found::end, end + 2 * line_end.size(), {}};
}

}  // namespace roomcast::bench

#include "http/origin_finder.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace roomcast::http {

void OriginFinder::feed(std::string_view bytes) {
  while (!over_ && !bytes.empty()) {
    const auto end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    line_ += piece.substr(0, line_bytes_max + 1 - std::min(line_.size(), line_bytes_max + 1));
    const std::size_t used = end == std::string_view::npos ? piece.size() : end + 1;
    bytes_ += used;
    over_ = bytes_ > bytes_max;
    if (over_ || end == std::string_view::npos) return;
    bytes.remove_prefix(used);
    finish_line();
  }
}

void OriginFinder::finish_line() {
  constexpr std::string_view name = "origin:";
  const std::string line = std::exchange(line_, {});
  const std::string_view text =
      line.ends_with('\r') ? std::string_view(line).substr(0, line.size() - 1) : line;
  // One empty line may precede the request line.
  if (text.empty() && lines_++ > 0) over_ = true;
  if (!text.empty()) ++lines_;
  if (text.size() > line_bytes_max || !base::equals_ignoring_case(text.substr(0, name.size()), name)) return;
  origin_ = base::trim(text.substr(name.size()));
  over_ = true;
}

}  // namespace roomcast::http

#include "net/record_gather.h"

#include <cstring>

namespace roomcast::net {

std::string_view RecordGather::next() {
  if (is_done()) return {};
  const bool fills_a_run = pieces_.front().size() - offset_ >= joining_.size();
  if (fills_a_run || pieces_.size() == 1) return take(joining_.size());
  std::size_t joined = 0;
  while (!is_done() && joined < joining_.size()) {
    const std::string_view part = take(joining_.size() - joined);
    std::memcpy(joining_.data() + joined, part.data(), part.size());
    joined += part.size();
  }
  return {joining_.data(), joined};
}

std::string_view RecordGather::take(std::size_t most) {
  const std::string_view part = pieces_.front().substr(offset_, most);
  offset_ += part.size();
  if (offset_ == pieces_.front().size()) {
    pieces_ = pieces_.subspan(1);
    offset_ = 0;
    skip_empty();
  }
  return part;
}

void RecordGather::skip_empty() {
  while (!pieces_.empty() && pieces_.front().empty())
    pieces_ = pieces_.subspan(1);
}

}  // namespace roomcast::net

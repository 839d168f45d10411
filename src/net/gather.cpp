#include "net/gather.h"

#include <cstring>

namespace roomcast::net {

Gather::Parts Gather::next() {
  joined_ = 0;
  count_ = 0;
  Parts parts;
  while (!pieces_.empty() && count_ < max_parts) {
    const std::string_view piece = pieces_.front();
    const bool is_only_one = parts.bytes == 0 && pieces_.size() == 1;
    if (piece.size() > small_piece_bytes || is_only_one) {
      add_part(piece.data(), piece.size());
    } else if (!join(piece)) {
      break;
    }
    parts.bytes += piece.size();
    pieces_ = pieces_.subspan(1);
  }
  parts.buffers = std::span(parts_).first(count_);
  return parts;
}

bool Gather::join(std::string_view piece) {
  if (piece.empty()) return true;
  if (joined_ + piece.size() > joining_.size()) return false;
  char* place = joining_.data() + joined_;
  std::memcpy(place, piece.data(), piece.size());
  joined_ += piece.size();
  iovec* last = count_ == 0 ? nullptr : &parts_[count_ - 1];
  if (last != nullptr && static_cast<char*>(last->iov_base) + last->iov_len == place) {
    last->iov_len += piece.size();
  } else {
    add_part(place, piece.size());
  }
  return true;
}

void Gather::add_part(const char* bytes, std::size_t size) {
  // iovec is also used for reading and is not const; sending does not write to it.
  parts_[count_++] = {const_cast<char*>(bytes), size};
}

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

#include "base/bytes.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace roomcast::base {

Bytes Bytes::allocate(std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max() - sizeof(Block)) {
    throw std::length_error("a block of bytes is limited to 4 GiB");
  }
  Bytes made;
  if (size == 0) return made;
  void* memory = ::operator new(sizeof(Block) + size);
  made.block_ = new (memory) Block{1, static_cast<std::uint32_t>(size), 0};
  made.size_ = static_cast<std::uint32_t>(size);
  return made;
}

void Bytes::free_block(Block* block) { ::operator delete(block); }

Bytes Bytes::copy_of(std::string_view bytes) { return joined({bytes}); }

Bytes Bytes::joined(std::initializer_list<std::string_view> pieces) {
  std::size_t total = 0;
  for (const auto piece : pieces)
    total += piece.size();
  Bytes made = allocate(total);
  std::size_t at = 0;
  for (const auto piece : pieces) {
    if (piece.empty()) continue;
    std::memcpy(made.data() + at, piece.data(), piece.size());
    at += piece.size();
  }
  return made;
}

Bytes Bytes::with_capacity(std::size_t capacity) {
  Bytes made = allocate(capacity);
  made.size_ = 0;
  return made;
}

bool Bytes::try_append(std::string_view bytes) {
  if (use_count() != 1 || block_->capacity - offset_ - size_ < bytes.size()) return false;
  std::memcpy(data() + offset_ + size_, bytes.data(), bytes.size());
  size_ += static_cast<std::uint32_t>(bytes.size());
  return true;
}

Bytes Bytes::slice(std::size_t offset, std::size_t size) const {
  assert(offset + size <= size_);
  Bytes part(*this);
  part.offset_ += static_cast<std::uint32_t>(offset);
  part.size_ = static_cast<std::uint32_t>(size);
  return part;
}

void Bytes::drop_front(std::size_t count) {
  const auto dropped = static_cast<std::uint32_t>(std::min<std::size_t>(count, size_));
  offset_ += dropped;
  size_ -= dropped;
}

}  // namespace roomcast::base

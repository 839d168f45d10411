#include "base/frame.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace roomcast::base {

FrameRef FrameRef::allocate(std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max() - sizeof(Block)) {
    throw std::length_error("a frame is limited to 4 GiB");
  }
  FrameRef frame;
  if (size == 0) return frame;
  void* memory = ::operator new(sizeof(Block) + size);
  frame.block_ = new (memory) Block{1, static_cast<std::uint32_t>(size), 0};
  frame.size_ = static_cast<std::uint32_t>(size);
  return frame;
}

void FrameRef::free_block(Block* block) { ::operator delete(block); }

FrameRef FrameRef::copy_of(std::string_view bytes) { return joined({bytes}); }

FrameRef FrameRef::joined(std::initializer_list<std::string_view> pieces) {
  std::size_t total = 0;
  for (const auto piece : pieces)
    total += piece.size();
  FrameRef frame = allocate(total);
  std::size_t at = 0;
  for (const auto piece : pieces) {
    if (piece.empty()) continue;
    std::memcpy(frame.data() + at, piece.data(), piece.size());
    at += piece.size();
  }
  return frame;
}

FrameRef FrameRef::with_capacity(std::size_t capacity) {
  FrameRef frame = allocate(capacity);
  frame.size_ = 0;
  return frame;
}

bool FrameRef::try_append(std::string_view bytes) {
  if (use_count() != 1 || block_->capacity - offset_ - size_ < bytes.size()) return false;
  std::memcpy(data() + offset_ + size_, bytes.data(), bytes.size());
  size_ += static_cast<std::uint32_t>(bytes.size());
  return true;
}

FrameRef FrameRef::slice(std::size_t offset, std::size_t size) const {
  assert(offset + size <= size_);
  FrameRef part(*this);
  part.offset_ += static_cast<std::uint32_t>(offset);
  part.size_ = static_cast<std::uint32_t>(size);
  return part;
}

void FrameRef::drop_front(std::size_t count) {
  const auto dropped = static_cast<std::uint32_t>(std::min<std::size_t>(count, size_));
  offset_ += dropped;
  size_ -= dropped;
}

}  // namespace roomcast::base

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace roomcast::base {

/// A reference-counted range of an immutable block of bytes: bytes covered by a reference never change.
///
/// The block is one allocation: counts, capacity, bytes. The counts are not atomic: all references belong to
/// the event loop's thread. Copying a reference does not copy bytes. 16 bytes, so that queues stay small.
/// Sizes are below 4 GiB; a larger one throws std::length_error.
class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes& other) noexcept : block_(other.block_), offset_(other.offset_), size_(other.size_) {
    retain();
  }
  Bytes(Bytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        offset_(std::exchange(other.offset_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(const Bytes& other) noexcept {
    if (&other == this) return *this;
    other.retain();  // first: it may be the same block
    release();
    block_ = other.block_;
    offset_ = other.offset_;
    size_ = other.size_;
    return *this;
  }
  Bytes& operator=(Bytes&& other) noexcept {
    Bytes taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Bytes() { release(); }

  /// A new block with a copy of `bytes`. Empty input gives an empty reference without a block.
  static Bytes copy_of(std::string_view bytes);
  /// A new block with all pieces, concatenated.
  static Bytes joined(std::initializer_list<std::string_view> pieces);
  /// An empty reference to a new block with room for `capacity` bytes, at least 1; see try_append.
  static Bytes with_capacity(std::size_t capacity);

  [[nodiscard]] std::string_view view() const {
    return block_ == nullptr ? std::string_view{} : std::string_view{data() + offset_, size_};
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// A reference to part of this range; `offset + size` must lie within it.
  [[nodiscard]] Bytes slice(std::size_t offset, std::size_t size) const;
  /// Releases the block; empty afterwards.
  void reset() {
    release();
    block_ = nullptr;
    offset_ = 0;
    size_ = 0;
  }
  /// Removes the first `count` bytes (at most all of them) from the range.
  void drop_front(std::size_t count);
  /// Extends this range over `next` if that begins in the same block exactly where this range ends; false
  /// otherwise. Subscribers that are owed several consecutive frames of one block queue a single reference
  /// this way.
  bool try_extend(const Bytes& next) {
    if (block_ == nullptr || block_ != next.block_ || offset_ + size_ != next.offset_) return false;
    size_ += next.size_;
    return true;
  }

  /// Copies `bytes` to the end of this range if this is the only reference to the block and there is room.
  [[nodiscard]] bool try_append(std::string_view bytes);

  /// Memory of a block besides its bytes: its header and the overhead of the allocator.
  static constexpr std::size_t block_overhead = 24;
  /// Memory that this reference keeps allocated if it is the only one to the block.
  [[nodiscard]] std::size_t held_bytes() const {
    return block_ == nullptr ? 0 : block_->capacity + block_overhead;
  }

  /// Counts a history that retains the block, so that shared blocks are accounted once. True for the first.
  bool add_keeper() const { return block_ != nullptr && block_->keepers++ == 0; }
  /// Reverts add_keeper. True for the last.
  bool drop_keeper() const { return block_ != nullptr && --block_->keepers == 0; }
  [[nodiscard]] bool is_kept() const { return block_ != nullptr && block_->keepers != 0; }

  /// The number of references to the block; for tests and accounting.
  [[nodiscard]] std::uint32_t use_count() const { return block_ == nullptr ? 0 : block_->references; }

  void swap(Bytes& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(offset_, other.offset_);
    std::swap(size_, other.size_);
  }

 private:
  struct Block {
    std::uint32_t references;
    std::uint32_t capacity;
    std::uint32_t keepers = 0;
  };

  static Bytes allocate(std::size_t size);
  [[nodiscard]] char* data() const { return reinterpret_cast<char*>(block_ + 1); }
  void retain() const {
    if (block_ != nullptr) ++block_->references;
  }
  void release() {
    if (block_ != nullptr && --block_->references == 0) free_block(block_);
  }
  static void free_block(Block* block);

  Block* block_ = nullptr;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace roomcast::base

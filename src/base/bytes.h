#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace roomcast::base {

/// A counted reference to a range of a block of bytes, which never change once a reference covers them.
///
/// The block is one allocation: counts, capacity, bytes. The counts are not atomic: all references live on
/// the event loop's thread. Copying a reference never copies bytes. 16 bytes, so that a queue of them stays
/// small. Sizes are below 4 GiB; making a larger one throws std::length_error.
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

  /// A new block holding a copy of `bytes`. Empty bytes give an empty reference without a block.
  static Bytes copy_of(std::string_view bytes);
  /// A new block holding the pieces end to end.
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
  /// Lets go of the block; empty from then on.
  void reset() {
    release();
    block_ = nullptr;
    offset_ = 0;
    size_ = 0;
  }
  /// Forgets the first `count` bytes (at most all of them).
  void drop_front(std::size_t count);
  /// Grows over `next` when that starts in the same block exactly where this ends; false otherwise.
  /// So a subscriber owed several frames that were laid down side by side queues one reference.
  bool try_extend(const Bytes& next) {
    if (block_ == nullptr || block_ != next.block_ || offset_ + size_ != next.offset_) return false;
    size_ += next.size_;
    return true;
  }

  /// Copies `bytes` behind this range if the block is this reference's alone and has room for them there.
  [[nodiscard]] bool try_append(std::string_view bytes);

  /// What the block takes of memory beside its bytes: its header and the allocator's own.
  static constexpr std::size_t block_overhead = 24;
  /// What keeping this reference keeps of memory if nothing else refers to the block.
  [[nodiscard]] std::size_t held_bytes() const {
    return block_ == nullptr ? 0 : block_->capacity + block_overhead;
  }

  /// Notes that a history keeps the block, for counting what many share but once. True if it is the first.
  bool add_keeper() const { return block_ != nullptr && block_->keepers++ == 0; }
  /// The opposite, by the same history. True if it was the last.
  bool drop_keeper() const { return block_ != nullptr && --block_->keepers == 0; }
  [[nodiscard]] bool is_kept() const { return block_ != nullptr && block_->keepers != 0; }

  /// How many references share the block; for tests and accounting.
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

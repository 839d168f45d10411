#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace roomcast::base {

/// A display name and a principal ("user:ada", "key:ci") in one allocation, immutable and counted. Either may
/// be empty. A derived class, which is trivially destructible, keeps what else belongs to the same client in
/// front of them. Counts are not atomic: all references belong to the event loop's thread.
class NameBlock {
 public:
  static constexpr std::size_t name_bytes_max = 60'000;
  static constexpr std::size_t principal_bytes_max = 255;

  NameBlock(const NameBlock&) = delete;
  NameBlock& operator=(const NameBlock&) = delete;

  /// A block of type `Block`, constructed from `arguments` behind its texts, with one reference. What exceeds
  /// the bounds is cut off. A name that is what follows the principal's colon takes no memory of its own.
  template <class Block, class... Arguments>
  static Block* make(std::string_view name, std::string_view principal, Arguments&&... arguments) {
    static_assert(std::is_trivially_destructible_v<Block> && std::is_base_of_v<NameBlock, Block>);
    const Texts texts(sizeof(Block), name, principal);
    auto* const memory = static_cast<Block*>(allocate(texts.end));
    Block* const made = std::construct_at(memory, texts, std::forward<Arguments>(arguments)...);
    texts.copy_to(reinterpret_cast<char*>(memory));
    return made;
  }

  [[nodiscard]] std::string_view name() const { return {start() + name_at_, name_bytes_}; }
  [[nodiscard]] std::string_view principal() const { return {start() + principal_at_, principal_bytes_}; }
  /// Of the allocation.
  [[nodiscard]] std::size_t bytes() const;

  void retain() const { ++references_; }
  /// Frees the block with its last reference.
  void release() const {
    if (--references_ == 0) free_block(this);
  }

 protected:
  /// Where the texts are in a block.
  struct Texts {
    Texts(std::size_t head_bytes, std::string_view name, std::string_view principal);
    void copy_to(char* block) const;

    std::string_view name;
    std::string_view principal;
    std::size_t principal_at;
    std::size_t name_at;
    std::size_t end;
  };

  explicit NameBlock(const Texts& texts)
      : name_bytes_(static_cast<std::uint16_t>(texts.name.size())),
        name_at_(static_cast<std::uint16_t>(texts.name_at)),
        principal_at_(static_cast<std::uint16_t>(texts.principal_at)),
        principal_bytes_(static_cast<std::uint8_t>(texts.principal.size())) {}
  ~NameBlock() = default;

 private:
  [[nodiscard]] static void* allocate(std::size_t bytes);
  static void free_block(const NameBlock* block);
  [[nodiscard]] const char* start() const { return reinterpret_cast<const char*>(this); }

  mutable std::uint32_t references_ = 1;
  std::uint16_t name_bytes_;
  std::uint16_t name_at_;
  std::uint16_t principal_at_;
  std::uint8_t principal_bytes_;
};

/// A reference to a NameBlock, or to none.
class NameRef {
 public:
  NameRef() = default;
  /// A block of its own. None if both are empty.
  NameRef(std::string_view name, std::string_view principal);
  /// One more reference to `block`, which may be null.
  explicit NameRef(const NameBlock* block) noexcept : block_(block) { retain(); }
  NameRef(const NameRef& other) noexcept : block_(other.block_) { retain(); }
  NameRef(NameRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  NameRef& operator=(NameRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~NameRef() {
    if (block_ != nullptr) block_->release();
  }

  [[nodiscard]] const NameBlock* get() const { return block_; }
  [[nodiscard]] std::string_view name() const {
    return block_ == nullptr ? std::string_view{} : block_->name();
  }
  [[nodiscard]] std::string_view principal() const {
    return block_ == nullptr ? std::string_view{} : block_->principal();
  }

 private:
  void retain() const {
    if (block_ != nullptr) block_->retain();
  }

  const NameBlock* block_ = nullptr;
};

}  // namespace roomcast::base

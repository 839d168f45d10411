#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roomcast::hub {

/// One tag of a message.
struct Tag {
  std::string key;
  std::string value;
};

/// What a publisher says of a message beside its payload: the name of the event that it is, and tags.
/// Immutable; copies share one block, counted without atomics. A pointer in size, and null for the messages
/// that have neither.
class Labels {
 public:
  static constexpr std::size_t event_bytes_max = 64;
  static constexpr std::size_t tags_max = 16;
  static constexpr std::size_t tag_bytes_max = 1'024;  ///< of all keys and values

  Labels() = default;
  /// `event` and `tags` have been checked. Of tags with the same key the last one counts.
  Labels(std::string_view event, std::vector<Tag> tags);
  Labels(const Labels& other) noexcept : block_(other.block_) { retain(); }
  Labels(Labels&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Labels& operator=(Labels other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Labels() { release(); }

  [[nodiscard]] bool empty() const { return block_ == nullptr; }
  /// Empty if there is none.
  [[nodiscard]] std::string_view event() const {
    return block_ == nullptr ? std::string_view{} : block_->event;
  }
  /// Empty if there are none.
  [[nodiscard]] std::span<const Tag> tags() const {
    return block_ == nullptr ? std::span<const Tag>() : std::span<const Tag>(block_->tags);
  }
  /// What the block takes of memory.
  [[nodiscard]] std::size_t held_bytes() const { return block_ == nullptr ? 0 : block_->held_bytes; }

  /// Whether `event` can name an event: 1 to event_bytes_max bytes of UTF-8 without control characters.
  [[nodiscard]] static bool is_event_name(std::string_view event);
  /// Whether there are no more than tags_max of them, of no more than tag_bytes_max bytes.
  [[nodiscard]] static bool are_within_limits(std::span<const Tag> tags);

 private:
  struct Block {
    std::uint32_t references = 1;
    std::size_t held_bytes = 0;
    std::string event;
    std::vector<Tag> tags;
  };
  void retain() const {
    if (block_ != nullptr) ++block_->references;
  }
  void release() {
    if (block_ != nullptr && --block_->references == 0) free_block(block_);
  }
  static void free_block(Block* block);

  Block* block_ = nullptr;
};

}  // namespace roomcast::hub

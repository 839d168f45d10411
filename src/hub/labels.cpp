#include "hub/labels.h"

#include <algorithm>
#include <memory>

#include "hub/room_name.h"

namespace roomcast::hub {

namespace {

/// Leaves the last of those with the same key, where the first one stood.
void remove_repeated(std::vector<Tag>& tags) {
  std::vector<Tag> kept;
  for (Tag& tag : tags) {
    const auto same =
        std::find_if(kept.begin(), kept.end(), [&](const Tag& known) { return known.key == tag.key; });
    if (same == kept.end()) {
      kept.push_back(std::move(tag));
    } else {
      same->value = std::move(tag.value);
    }
  }
  tags = std::move(kept);
}

}  // namespace

Labels::Labels(std::string_view event, std::vector<Tag> tags) {
  if (event.empty() && tags.empty()) return;
  remove_repeated(tags);
  tags.shrink_to_fit();
  constexpr std::size_t allocator_bytes = 16;  // of each allocation, about
  std::size_t bytes = sizeof(Block) + event.size() + 2 * allocator_bytes;
  for (const Tag& tag : tags)
    bytes += sizeof(Tag) + tag.key.size() + tag.value.size() + 2 * allocator_bytes;
  block_ = std::make_unique<Block>(Block{1, bytes, std::string(event), std::move(tags)}).release();
}

void Labels::free_block(Block* block) { const std::unique_ptr<Block> last(block); }

bool Labels::is_event_name(std::string_view event) {
  // Of the same characters as the name of a client.
  return !event.empty() && event.size() <= event_bytes_max && check_client_name(event);
}

bool Labels::are_within_limits(std::span<const Tag> tags) {
  std::size_t bytes = 0;
  for (const Tag& tag : tags)
    bytes += tag.key.size() + tag.value.size();
  return tags.size() <= tags_max && bytes <= tag_bytes_max;
}

}  // namespace roomcast::hub

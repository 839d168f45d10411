#include "hub/present_members.h"

#include <algorithm>
#include <iterator>

namespace roomcast::hub {

namespace {

// A block grows by so many places at a time, so that few are unused.
constexpr std::size_t spare = 8;

constexpr ByMember precedes;

}  // namespace

/// The block that the member is in or belongs into; there is one.
std::vector<PresentMembers::Block>::iterator PresentMembers::block_for(const Author& author) {
  const auto behind = std::upper_bound(
      blocks_.begin(), blocks_.end(), author,
      [](const Author& wanted, const Block& block) { return precedes(wanted, block.front().author); });
  return behind == blocks_.begin() ? behind : std::prev(behind);
}

PresentMembers::Block::iterator PresentMembers::place_in(Block& block, const Author& author) {
  return std::lower_bound(
      block.begin(), block.end(), author,
      [](const PresentMember& member, const Author& wanted) { return precedes(member.author, wanted); });
}

PresentMember* PresentMembers::find(const Author& author) {
  if (empty()) return nullptr;
  Block& block = *block_for(author);
  const auto place = place_in(block, author);
  return place == block.end() || precedes(author, place->author) ? nullptr : &*place;
}

std::pair<PresentMember&, bool> PresentMembers::add(const Author& author) {
  if (PresentMember* const found = find(author)) return {*found, false};
  if (empty()) {
    size_ = 1;
    return {blocks_.emplace_back(1, PresentMember{author}).front(), true};
  }
  auto block = block_for(author);
  if (block->size() == block_max) {
    // The latter half becomes a block of its own.
    const auto half = block->begin() + block_max / 2;
    Block latter;
    latter.reserve(block_max / 2 + spare);
    std::move(half, block->end(), std::back_inserter(latter));
    Block former;
    former.reserve(block_max / 2 + spare);
    std::move(block->begin(), half, std::back_inserter(former));
    *block = std::move(former);
    const bool is_latter = !precedes(author, latter.front().author);
    block = blocks_.insert(std::next(block), std::move(latter));
    if (!is_latter) block = std::prev(block);
  }
  if (block->size() == block->capacity()) block->reserve(block->size() + spare);
  ++size_;
  return {*block->insert(place_in(*block, author), PresentMember{author}), true};
}

void PresentMembers::erase(const Author& author) {
  if (empty()) return;
  const auto block = block_for(author);
  const auto place = place_in(*block, author);
  if (place == block->end() || precedes(author, place->author)) return;
  block->erase(place);
  --size_;
  if (block->empty()) {
    blocks_.erase(block);
    return;
  }
  // So that blocks that have emptied are not kept for a few.
  if (const auto next = std::next(block); next != blocks_.end()) join(block, next);
  if (block != blocks_.begin()) join(std::prev(block), block);
}

/// Moves the members of `next`, which is the block behind, into `block`, if they are few.
void PresentMembers::join(std::vector<Block>::iterator block, std::vector<Block>::iterator next) {
  if (block->size() + next->size() > block_max / 2) return;
  Block joined;
  joined.reserve(block->size() + next->size() + spare);
  std::move(block->begin(), block->end(), std::back_inserter(joined));
  std::move(next->begin(), next->end(), std::back_inserter(joined));
  *block = std::move(joined);
  blocks_.erase(next);
}

}  // namespace roomcast::hub

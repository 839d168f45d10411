#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "hub/author.h"

namespace roomcast::hub {

/// A member of a room as others see it.
struct PresentMember {
  Author author;                  ///< with the name that it shows
  std::uint32_t connections = 0;  ///< to this server; 0: within its grace time, or only on others
  std::uint32_t nodes = 0;        ///< other servers that list it
};

/// The members of a room in the order of ByMember, in blocks of at most `block_max`: a member takes 18 bytes
/// or so, where one in a tree takes 64. Finding one takes two binary searches, adding or removing one moves
/// those behind it in its block.
class PresentMembers {
 public:
  static constexpr std::size_t block_max = 64;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Null if there is none. Valid until the next change.
  [[nodiscard]] PresentMember* find(const Author& author);
  /// The member, and whether it is new: without connections then. Valid until the next change.
  std::pair<PresentMember&, bool> add(const Author& author);
  /// Has no effect if it is not there.
  void erase(const Author& author);

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Block& block : blocks_) {
      for (const PresentMember& member : block)
        visit(member);
    }
  }

 private:
  using Block = std::vector<PresentMember>;
  [[nodiscard]] std::vector<Block>::iterator block_for(const Author& author);
  void join(std::vector<Block>::iterator block, std::vector<Block>::iterator next);
  [[nodiscard]] static Block::iterator place_in(Block& block, const Author& author);

  std::vector<Block> blocks_;  // none of them empty
  std::size_t size_ = 0;
};

}  // namespace roomcast::hub

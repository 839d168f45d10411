#include "access/row_index.h"

#include <algorithm>
#include <map>

namespace roomcast::access {

RowIndex::RowIndex(const std::vector<CompiledRow>& rows) {
  std::map<std::string_view, std::vector<std::uint32_t>> by_prefix;
  for (std::size_t i = 0; i < rows.size(); ++i)
    by_prefix[rows[i].rooms.literal_prefix()].push_back(static_cast<std::uint32_t>(i));
  groups_.reserve(by_prefix.size());
  for (auto& [prefix, indices] : by_prefix) {
    std::size_t parent = groups_.empty() ? none : groups_.size() - 1;
    while (parent != none && !prefix.starts_with(groups_[parent].prefix))
      parent = groups_[parent].parent;
    groups_.push_back({std::string(prefix), std::move(indices), parent});
  }
}

std::optional<std::size_t> RowIndex::first_match(const std::vector<CompiledRow>& rows,
                                                 const Identity& identity, std::string_view room) const {
  // What lies between a prefix of the room and the room itself begins with that prefix, too: so every such
  // prefix is the last one that is not behind the room, or a parent of it.
  const auto behind =
      std::upper_bound(groups_.begin(), groups_.end(), room,
                       [](std::string_view name, const Group& group) { return name < group.prefix; });
  std::size_t at = behind == groups_.begin() ? none : static_cast<std::size_t>(behind - groups_.begin()) - 1;
  std::size_t first = none;
  for (; at != none; at = groups_[at].parent) {
    const Group& group = groups_[at];
    if (!room.starts_with(group.prefix)) continue;
    for (const std::uint32_t i : group.rows) {
      if (i >= first) break;
      if (!rows[i].who.matches(identity) || !rows[i].rooms.matches(identity, room)) continue;
      first = i;
      break;
    }
  }
  if (first == none) return std::nullopt;
  return first;
}

}  // namespace roomcast::access

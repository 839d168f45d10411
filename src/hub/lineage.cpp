#include "hub/lineage.h"

#include <algorithm>
#include <utility>

namespace roomcast::hub {

Lineage::Lineage(std::vector<Ancestor> ancestors) : ancestors_(std::move(ancestors)) {
  if (ancestors_.size() > ancestors_max)
    ancestors_.erase(ancestors_.begin(), ancestors_.end() - static_cast<std::ptrdiff_t>(ancestors_max));
}

bool Lineage::has(const Position& position, const Position& top) const {
  const std::optional<std::uint64_t> end = end_of(position.epoch, top);
  return end && position.offset <= *end;
}

std::uint64_t Lineage::epoch_at(std::uint64_t offset, std::uint64_t present) const {
  const auto found = std::find_if(ancestors_.begin(), ancestors_.end(),
                                  [&](const Ancestor& ancestor) { return offset <= ancestor.end; });
  return found == ancestors_.end() ? present : found->epoch;
}

std::optional<std::uint64_t> Lineage::last_common(const Position& top, const Lineage& other,
                                                  const Position& other_top) const {
  std::optional<std::uint64_t> last;
  const auto compare = [&](std::uint64_t epoch, std::uint64_t end) {
    const std::optional<std::uint64_t> other_end = other.end_of(epoch, other_top);
    if (other_end) last = std::max(last.value_or(0), std::min(end, *other_end));
  };
  for (const Ancestor& ancestor : ancestors_)
    compare(ancestor.epoch, ancestor.end);
  compare(top.epoch, top.offset);
  return last;
}

std::optional<std::uint64_t> Lineage::end_of(std::uint64_t epoch, const Position& top) const {
  if (epoch == top.epoch) return top.offset;
  const auto found = std::find_if(ancestors_.begin(), ancestors_.end(),
                                  [&](const Ancestor& ancestor) { return ancestor.epoch == epoch; });
  return found == ancestors_.end() ? std::nullopt : std::optional(found->end);
}

}  // namespace roomcast::hub

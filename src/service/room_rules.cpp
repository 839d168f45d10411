#include "service/room_rules.h"

#include <algorithm>

#include "base/string_hash.h"

namespace roomcast::service {

RoomRules::RoomRules(const RoomRule& otherwise, const std::vector<Of>& rules)
    : otherwise_(otherwise), is_uniform_(std::all_of(rules.begin(), rules.end(), [&otherwise](const Of& of) {
        return of.rule == otherwise;
      })) {
  if (is_uniform_) return;
  rules_.reserve(rules.size());
  for (const Of& of : rules)
    rules_.push_back({base::NamePattern(of.pattern), of.rule});
  cache_ = std::make_unique<Cache>();
}

const RoomRule& RoomRules::look_up(std::string_view room) const {
  const std::uint64_t hash = base::StringHash{}(room);
  Found& found = cache_->at(hash % remembered);
  if (found.place == 0 || found.room != hash) {
    const auto matching = std::find_if(rules_.begin(), rules_.end(),
                                       [room](const Compiled& rule) { return rule.pattern.matches(room); });
    found = {hash, static_cast<std::uint32_t>(matching - rules_.begin()) + 1};
  }
  return found.place > rules_.size() ? otherwise_ : rules_[found.place - 1].rule;
}

}  // namespace roomcast::service

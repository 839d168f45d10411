#include "hub/room_settings.h"

namespace roomcast::hub {

RoomRules::RoomRules(RoomSettings otherwise, const std::vector<Rule>& rules) : otherwise_(otherwise) {
  rules_.reserve(rules.size());
  for (const Rule& rule : rules)
    rules_.push_back({base::NamePattern(rule.pattern), rule.settings});
}

const RoomSettings& RoomRules::find(std::string_view room) const {
  for (const CompiledRule& rule : rules_) {
    if (rule.pattern.matches(room)) return rule.settings;
  }
  return otherwise_;
}

}  // namespace roomcast::hub

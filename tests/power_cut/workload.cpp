#include "power_cut/workload.h"

#include <algorithm>

namespace roomcast::power_cut {

Workload::Step Workload::next() {
  const auto below = [this](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  };
  Step step;
  const std::size_t count = 1 + below(12);
  const std::size_t amended = below(8) == 0 ? below(rooms) : rooms;
  if (amended < rooms && tops_[amended] > 0) {
    step.removed_room = amended;
    step.removed_offset = 1 + below(tops_[amended]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    // Some rooms are much busier than others.
    const std::size_t room = std::min(below(rooms), below(rooms));
    std::string payload = room_name(room) + " " + std::to_string(++tops_[room]) + " ";
    const std::size_t size = below(16) == 0 ? below(6'000) : below(200);
    while (payload.size() < size)
      payload.push_back(static_cast<char>('a' + below(26)));
    step.messages.push_back({room, tops_[room], std::move(payload)});
  }
  return step;
}

void apply_step(Content& content, const Workload::Step& step) {
  if (step.removed_offset != 0) content.erase({step.removed_room, step.removed_offset});
  for (const Workload::Step::Message& message : step.messages)
    content.insert_or_assign({message.room, message.offset}, message.payload);
}

}  // namespace roomcast::power_cut

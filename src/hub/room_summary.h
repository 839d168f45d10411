#pragma once

#include <cstddef>
#include <string_view>

#include "hub/message.h"

namespace roomcast::hub {

/// A room at a glance, for operators. The name is a view that lives for the call.
struct RoomSummary {
  std::string_view name;
  std::size_t members = 0;
  std::size_t messages = 0;  ///< that its history holds
  std::size_t bytes = 0;     ///< that these take
  Position top{};            ///< of its last message; epoch 0 if it is not known yet
};

}  // namespace roomcast::hub

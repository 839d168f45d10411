#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "hub/hub.h"

namespace roomcast::test {

/// What the hub answers at once to a question about the past; nothing if it refuses, or answers later.
inline std::optional<hub::HistoryPage> read_now(hub::Hub& hub, std::string_view room,
                                                const std::optional<hub::Position>& since,
                                                const std::optional<std::size_t>& limit) {
  std::optional<hub::HistoryPage> page;
  hub.read_history(room, since, limit, [&](const auto& result) {
    if (result) page = *result;
  });
  return page;
}

}  // namespace roomcast::test

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "hub/hub.h"

namespace roomcast::test {

/// What the hub answers at once to a question about the past; nothing if it refuses, or answers later.
inline std::optional<hub::HistoryPage> read_now(hub::Hub& hub, std::string_view room,
                                                const std::optional<hub::Position>& since,
                                                const std::optional<std::size_t>& limit) {
  // The answer may come later: then nobody waits for it any more.
  const auto page = std::make_shared<std::optional<hub::HistoryPage>>();
  hub.read_history(room, since, limit, [page](const auto& result) {
    if (result) *page = *result;
  });
  return std::exchange(*page, std::nullopt);
}

}  // namespace roomcast::test

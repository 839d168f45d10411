#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "base/result.h"
#include "hub/message.h"
#include "store/store_scan.h"

namespace roomcast::app {

struct ExportOptions {
  std::string path;
  std::optional<std::string> room{};
  std::optional<hub::Position> since{};  ///< only with a room
};

/// Writes what a store has to `out`, as a subscriber of roomcast.v1 who wants all of it would get it, a line
/// for each message: for each room `subscribed` with the cursor before its first message, then `message`,
/// `deleted` for the place of one that was removed, and `gap` where messages are missing. There are two
/// members more than in roomcast.v1: the `time` of `deleted`, and `"kind":"json"` of a message whose payload
/// was published as JSON and is a string.
///
/// The value: what is damaged and could not be written.
[[nodiscard]] base::Result<store::ProblemList> export_store(const ExportOptions& options, std::FILE* out);

}  // namespace roomcast::app

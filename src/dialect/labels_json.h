#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json_reader.h"
#include "base/result.h"
#include "hub/labels.h"

namespace roomcast::dialect {

/// Reads the members `event` (a string) and `tags` (an object of strings) of a message that is to be
/// published; either may be missing. An error says what is wrong, naming the limit; it is a constant.
[[nodiscard]] base::Result<hub::Labels, std::string_view> read_labels(
    const std::optional<base::JsonValue>& event, const std::optional<base::JsonValue>& tags);

/// Appends `,"event":…` and `,"tags":{…}`, each if it is there.
void append_labels_members(std::string& out, const hub::Labels& labels);

}  // namespace roomcast::dialect

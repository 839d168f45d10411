#pragma once

#include <span>
#include <string>
#include <string_view>

namespace roomcast::config {

/// The candidate that `word` is most likely a misspelling of; empty if none is close.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean X?)", or nothing if no candidate is close.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace roomcast::config

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace roomcast::config {

/// The one of `candidates` that somebody who typed `word` most likely meant; empty if none is close.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean X?)", or nothing if no candidate is close.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace roomcast::config

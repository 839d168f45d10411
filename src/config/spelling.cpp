#include "config/spelling.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace roomcast::config {
namespace {

/// Longer words are not compared: that costs the product of the lengths.
constexpr std::size_t word_bytes_max = 100;

/// How many letters have to be added, left out, changed or swapped with their neighbour to get from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(current);
  }
  return last[b.size()];
}

/// "message_bytes" for "limits.message_bytes": the section was forgotten.
bool is_last_part(std::string_view word, std::string_view candidate) {
  return candidate.size() > word.size() + 1 && candidate.ends_with(word) &&
         candidate[candidate.size() - word.size() - 1] == '.';
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > word_bytes_max) return {};
  for (const std::string& candidate : candidates) {
    if (is_last_part(word, candidate)) return candidate;
  }
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best = &candidate;
    best_distance = distance;
  }
  return best == nullptr ? std::string() : *best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string found = nearest(word, candidates);
  return found.empty() ? found : " (did you mean " + found + "?)";
}

}  // namespace roomcast::config

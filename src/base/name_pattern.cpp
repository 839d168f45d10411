#include "base/name_pattern.h"

#include <algorithm>
#include <utility>

namespace roomcast::base {

NamePattern::NamePattern(std::string text) : text_(std::move(text)) {
  if (text_.size() > bytes_max) {
    middle_ = Middle::impossible;
    return;
  }
  const std::size_t first_star = text_.find('*');
  if (first_star == std::string::npos) return;
  prefix_bytes_ = first_star;
  suffix_bytes_ = text_.size() - 1 - text_.rfind('*');
  read_middle();
}

void NamePattern::read_middle() {
  const std::string_view middle =
      std::string_view(text_).substr(prefix_bytes_, text_.size() - prefix_bytes_ - suffix_bytes_);
  literals_ = middle.size() - static_cast<std::size_t>(std::count(middle.begin(), middle.end(), '*'));
  if (literals_ == 0) {
    // `***` is `**` and `*`, which is as much as `**`.
    middle_ = middle.size() == 1 ? Middle::any_name : Middle::any_depth;
    return;
  }
  middle_ = Middle::stars;
  words_ = literals_ / word_bits + 1;
  next_.assign(256 * words_, 0);
  std::size_t read = 0;
  for (std::size_t i = 0; i < middle.size(); ++i) {
    const std::size_t word = read / word_bits;
    const Word bit = Word{1} << (read % word_bits);
    if (middle[i] != '*') {
      next_[static_cast<unsigned char>(middle[i]) * words_ + word] |= bit;
      ++read;
      continue;
    }
    stays_in_name_[word] |= bit;
    if (middle.substr(i, 2) == "**") stays_[word] |= bit;
  }
}

bool NamePattern::matches(std::string_view name) const {
  if (middle_ == Middle::none) return name == text_;
  if (middle_ == Middle::impossible || name.size() < prefix_bytes_ + literals_ + suffix_bytes_) return false;
  const std::string_view text = text_;
  if (!name.starts_with(text.substr(0, prefix_bytes_))) return false;
  if (!name.ends_with(text.substr(text.size() - suffix_bytes_))) return false;
  return matches_middle(name.substr(prefix_bytes_, name.size() - prefix_bytes_ - suffix_bytes_));
}

bool NamePattern::matches_middle(std::string_view name) const {
  if (middle_ == Middle::any_depth) return true;
  if (middle_ == Middle::any_name) return name.find('/') == std::string_view::npos;
  switch (words_) {
    case 1:
      return run<1>(name);
    case 2:
      return run<2>(name);
    case 3:
      return run<3>(name);
    default:
      return run<words_max>(name);
  }
}

/// Follows all ways to match the name at once (Baeza-Yates and Gonnet's Shift-And, with stars).
template <std::size_t words>
bool NamePattern::run(std::string_view name) const {
  std::array<Word, words> reached{1};
  for (const char c : name) {
    const Word* const next = &next_[static_cast<unsigned char>(c) * words];
    const std::array<Word, words_max>& stays = c == '/' ? stays_ : stays_in_name_;
    Word carried = 0;
    Word any = 0;
    for (std::size_t i = 0; i < words; ++i) {
      const Word advanced = reached[i] & next[i];
      reached[i] = (reached[i] & stays[i]) | advanced << 1U | carried;
      carried = advanced >> (word_bits - 1);
      any |= reached[i];
    }
    if (any == 0) return false;
  }
  return (reached[literals_ / word_bits] >> (literals_ % word_bits) & 1U) != 0;
}

}  // namespace roomcast::base

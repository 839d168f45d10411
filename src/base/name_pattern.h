#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::base {

/// A pattern for names of rooms: `*` stands for any bytes but '/', `**` for any bytes at all, everything else
/// for itself. `chat/**` matches every room below `chat/`.
///
/// Compiled once, for frequent use: matching takes time in proportion to the name, whatever the pattern, and
/// no memory beyond what the pattern holds (some hundred bytes; 8 KiB for each 64 bytes that stand between
/// stars).
class NamePattern {
 public:
  /// `pattern` has at most `bytes_max` bytes: a longer one matches nothing.
  explicit NamePattern(std::string text);

  [[nodiscard]] bool matches(std::string_view name) const;
  [[nodiscard]] bool has_stars() const { return text_.find('*') != std::string::npos; }
  /// Whether it is `**`.
  [[nodiscard]] bool matches_everything() const {
    return middle_ == Middle::any_depth && prefix_bytes_ + suffix_bytes_ == 0;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

  /// Memory beyond the object itself.
  [[nodiscard]] std::size_t held_bytes() const { return text_.capacity() + next_.capacity() * sizeof(Word); }

  friend bool operator==(const NamePattern& a, const NamePattern& b) { return a.text_ == b.text_; }

  static constexpr std::size_t bytes_max = 200;

 private:
  using Word = std::uint64_t;
  static constexpr std::size_t word_bits = 64;
  static constexpr std::size_t words_max = bytes_max / word_bits + 1;

  /// The part between the first star and the last.
  enum class Middle : std::uint8_t {
    none,        // there is no star
    any_name,    // `*` alone
    any_depth,   // `**` alone
    stars,       // more, to be matched bit by bit
    impossible,  // the pattern is too long
  };

  void read_middle();
  [[nodiscard]] bool matches_middle(std::string_view name) const;
  template <std::size_t words>
  [[nodiscard]] bool run(std::string_view name) const;

  std::string text_;
  std::size_t prefix_bytes_ = 0;  // of text_, before the first star
  std::size_t suffix_bytes_ = 0;  // of text_, after the last star
  Middle middle_ = Middle::none;

  // Of the middle. In a state, bit i: the first i literal bytes have been read.
  std::size_t literals_ = 0;
  std::size_t words_ = 0;                        // as many as hold literals_ + 1 bits
  std::vector<Word> next_;                       // words_ for each byte: bit i: it is the literal i
  std::array<Word, words_max> stays_in_name_{};  // bit i: a star precedes literal i
  std::array<Word, words_max> stays_{};          // bit i: two stars precede literal i
};

}  // namespace roomcast::base

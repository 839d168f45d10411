#include "redis/command.h"

#include <array>
#include <charconv>

namespace roomcast::redis {

namespace {

// Of the longest number: a sign and 19 digits, or 20 digits.
using Digits = std::array<char, 20>;

template <class Number>
std::string_view to_digits(Digits& digits, Number number) {
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return {digits.data(), end};
}

void append_line(std::string& out, char kind, std::size_t number) {
  Digits digits{};
  out += kind;
  out += to_digits(digits, number);
  out += "\r\n";
}

void append_word(std::string& out, std::string_view word) {
  append_line(out, '$', word.size());
  out += word;
  out += "\r\n";
}

}  // namespace

void append_command(std::string& out, std::span<const std::string_view> words) {
  append_line(out, '*', words.size());
  for (const std::string_view word : words)
    append_word(out, word);
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_command(out, std::span<const std::string_view>(words.begin(), words.size()));
}

CommandWriter::CommandWriter(std::string& out, std::size_t words) : out_(out) {
  append_line(out_, '*', words);
}

CommandWriter& CommandWriter::add(std::string_view word) {
  append_word(out_, word);
  return *this;
}

CommandWriter& CommandWriter::add(std::int64_t number) {
  Digits digits{};
  return add(to_digits(digits, number));
}

CommandWriter& CommandWriter::add(std::uint64_t number) {
  Digits digits{};
  return add(to_digits(digits, number));
}

}  // namespace roomcast::redis

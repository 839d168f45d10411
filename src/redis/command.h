#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace roomcast::redis {

/// Appends a command as a server reads it: an array of bulk strings. The first word is its name.
void append_command(std::string& out, std::span<const std::string_view> words);
void append_command(std::string& out, std::initializer_list<std::string_view> words);

/// The same, for commands whose words are made one by one: the number of words has to be known before.
class CommandWriter {
 public:
  /// Begins a command of `words` words, its name included.
  CommandWriter(std::string& out, std::size_t words);
  CommandWriter& add(std::string_view word);
  CommandWriter& add(std::int64_t number);
  CommandWriter& add(std::uint64_t number);

 private:
  std::string& out_;
};

}  // namespace roomcast::redis

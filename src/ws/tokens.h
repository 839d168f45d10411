#pragma once

#include <optional>
#include <string_view>

namespace roomcast::ws {

/// Takes a header field's value apart from the front (RFC 9110 section 5.6): tokens and what stands between.
class TokenScanner {
 public:
  explicit TokenScanner(std::string_view text) : rest_(text) {}

  void skip_space();
  /// Whether `separator` comes next, after optional space; if so it and the space after it are taken.
  bool take(char separator);
  /// The token that comes next; nothing if there is none.
  std::optional<std::string_view> take_token();
  /// What is between the quotes of the quoted-string that comes next, its backslashes still in it; nothing if
  /// there is none or it has no end.
  std::optional<std::string_view> take_quoted();
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace roomcast::ws

#include "ws/tokens.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace roomcast::ws {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

void TokenScanner::skip_space() {
  while (!rest_.empty() && is_space(rest_.front()))
    rest_.remove_prefix(1);
}

bool TokenScanner::take(char separator) {
  skip_space();
  if (rest_.empty() || rest_.front() != separator) return false;
  rest_.remove_prefix(1);
  skip_space();
  return true;
}

std::optional<std::string_view> TokenScanner::take_token() {
  const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), base::is_token_char);
  const auto token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  if (token.empty()) return std::nullopt;
  rest_.remove_prefix(token.size());
  return token;
}

std::optional<std::string_view> TokenScanner::take_quoted() {
  if (rest_.empty() || rest_.front() != '"') return std::nullopt;
  std::size_t end = 1;
  while (end < rest_.size() && rest_[end] != '"')
    end += rest_[end] == '\\' ? 2U : 1U;
  if (end >= rest_.size()) return std::nullopt;
  const auto inside = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  return inside;
}

}  // namespace roomcast::ws

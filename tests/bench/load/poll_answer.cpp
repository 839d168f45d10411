#include "load/poll_answer.h"

namespace roomcast::bench {

namespace {

/// Where the JSON string that begins at `from` with its quote is over.
std::size_t string_end(std::string_view text, std::size_t from) {
  for (std::size_t i = from + 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size();
}

/// How long the JSON object at the front of `text` is; 0 when it does not end.
std::size_t object_length(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i = string_end(text, i);
      continue;
    }
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
    ++i;
  }
  return 0;
}

}  // namespace

PollAnswer::PollAnswer(std::string_view body) {
  constexpr std::string_view cursor = R"("cursor":")";
  constexpr std::string_view messages = R"("messages":[)";
  const std::size_t cursor_at = body.find(cursor);
  const std::size_t messages_at = body.find(messages);
  if (cursor_at == std::string_view::npos || messages_at == std::string_view::npos) return;
  const std::size_t from = cursor_at + cursor.size();
  cursor_ = body.substr(from, string_end(body, from - 1) - 1 - from);
  messages_ = body.substr(messages_at + messages.size());
}

std::string_view PollAnswer::next() {
  if (messages_.starts_with(',')) messages_.remove_prefix(1);
  if (!messages_.starts_with('{')) return {};
  const std::string_view envelope = messages_.substr(0, object_length(messages_));
  messages_.remove_prefix(envelope.size());
  return envelope;
}

}  // namespace roomcast::bench

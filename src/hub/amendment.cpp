#include "hub/amendment.h"

#include <string>

#include "hub/batch.h"
#include "hub/cursor.h"

namespace roomcast::hub {

void apply_amendment(const Amendment& amendment, std::span<Message> messages) {
  const std::uint64_t last = amendment.message.position.offset;
  const bool is_for_all = amendment.what == Amendment::What::cleared;
  const std::size_t begin = is_for_all ? 0 : first_after(messages, last - 1);
  const std::size_t end = first_after(messages, last);
  if (begin >= end) return;
  for (Message& message : messages.subspan(begin, end - begin)) {
    if (!message.is_removed) apply_amendment(amendment, message);
  }
}

void apply_amendment(const Amendment& amendment, Message& message) {
  Message next;
  if (amendment.what == Amendment::What::replaced) {
    next = amendment.message;
  } else {
    next.is_removed = true;
    next.source = message.source;
  }
  next.position = message.position;
  next.time_ms = message.time_ms;
  next.sender = message.sender;
  message = std::move(next);
}

Refusal no_such_message(const Position& position) {
  return {Refusal::Code::not_found, "the room has no message with the cursor " + to_cursor(position)};
}

base::Bytes AmendmentUpdate::wire(const Encoder& encoder) {
  return encodings_.wire(encoder,
                         [&](std::string& out) { encoder.encode_amendment(room_, amendment_, out); });
}

}  // namespace roomcast::hub

#include "hub/batch.h"

#include <algorithm>
#include <cassert>

#include "base/memory.h"
#include "hub/amendment.h"

namespace roomcast::hub {

namespace {

// The fixed cost of encoding a message, in bytes.
constexpr std::size_t encoding_units = 128;
// The cost of compressing a byte, in bytes.
constexpr std::size_t compressing_units = 8;

/// The size of an encoding that adds little to each message.
std::size_t likely_bytes(std::span<const Message> messages) {
  constexpr std::size_t added = 16;
  std::size_t bytes = 0;
  for (const Message& message : messages)
    bytes += message.payload.size() + added;
  return bytes;
}

}  // namespace

std::size_t first_after(std::span<const Message> messages, std::uint64_t offset) {
  const auto found = std::partition_point(messages.begin(), messages.end(), [offset](const Message& message) {
    return message.position.offset <= offset;
  });
  return static_cast<std::size_t>(found - messages.begin());
}

void Batch::assign(std::string_view room, std::vector<Message>& messages) {
  clear();
  room_ = room;
  messages_.swap(messages);
}

void Batch::amend(const Amendment& amendment) {
  apply_amendment(amendment, messages_);
  encodings_.clear();
}

void Batch::clear() {
  messages_.clear();
  encodings_.clear();
}

void Batch::release() {
  base::release(messages_);
  base::release(encodings_);
}

base::Bytes Batch::wire(const Encoder& encoder, std::size_t from, std::size_t to) {
  assert(from <= to && to <= messages_.size());
  if (from == to) return {};
  const Encoding& encoding = find_or_encode(encoder);
  const std::size_t begin = from == 0 ? 0 : encoding.ends[from - 1];
  return encoding.bytes.slice(begin, encoding.ends[to - 1] - begin);
}

const Batch::Encoding& Batch::find_or_encode(const Encoder& encoder) {
  const auto found = std::find_if(encodings_.begin(), encodings_.end(),
                                  [&](const Encoding& encoding) { return encoding.encoder == &encoder; });
  if (found != encodings_.end()) return *found;

  std::string bytes;
  Encoding encoding{&encoder, {}, {}};
  const std::size_t likely = likely_bytes(messages_);
  bytes.reserve(likely);
  encoding.ends.reserve(messages_.size());
  std::size_t compressed = 0;
  for (const Message& message : messages_) {
    if (!message.is_removed) compressed += encoder.encode(room_, message, bytes);
    encoding.ends.push_back(bytes.size());
  }
  // An encoded message may be six times as long as its payload: writing that is what takes the time.
  encoded_bytes_ +=
      likely + bytes.size() + compressing_units * compressed + messages_.size() * encoding_units;
  encoding.bytes = base::Bytes::copy_of(bytes);
  encodings_.push_back(std::move(encoding));
  return encodings_.back();
}

}  // namespace roomcast::hub

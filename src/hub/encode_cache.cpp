#include "hub/encode_cache.h"

#include <algorithm>
#include <cassert>

#include "base/memory.h"

namespace roomcast::hub {

namespace {

// What is fixed about encoding a message, in bytes.
constexpr std::size_t encoding_units = 128;
// A byte that is compressed counts as so many.
constexpr std::size_t compressing_units = 8;

/// What the wire form of the messages takes where little is added to each.
std::size_t likely_bytes(std::span<const Message> messages) {
  constexpr std::size_t added = 16;
  std::size_t bytes = 0;
  for (const Message& message : messages)
    bytes += message.payload.size() + added;
  return bytes;
}

}  // namespace

void Batch::assign(std::string_view room, std::vector<Message>& messages) {
  clear();
  room_ = room;
  messages_.swap(messages);
}

void Batch::clear() {
  messages_.clear();
  forms_.clear();
}

void Batch::release() {
  base::release(messages_);
  base::release(forms_);
}

base::Bytes Batch::wire(const Encoder& encoder, std::size_t from, std::size_t to) {
  assert(from <= to && to <= messages_.size());
  if (from == to) return {};
  const Form& form = find_or_encode(encoder);
  const std::size_t begin = from == 0 ? 0 : form.ends[from - 1];
  return form.bytes.slice(begin, form.ends[to - 1] - begin);
}

const Batch::Form& Batch::find_or_encode(const Encoder& encoder) {
  const auto found =
      std::find_if(forms_.begin(), forms_.end(), [&](const Form& form) { return form.encoder == &encoder; });
  if (found != forms_.end()) return *found;

  std::string bytes;
  Form form{&encoder, {}, {}};
  const std::size_t likely = likely_bytes(messages_);
  bytes.reserve(likely);
  form.ends.reserve(messages_.size());
  std::size_t compressed = 0;
  for (const Message& message : messages_) {
    compressed += encoder.encode(room_, message, bytes);
    form.ends.push_back(bytes.size());
  }
  // What becomes of a message may be six times as long: that is what takes the time.
  encoded_bytes_ +=
      likely + bytes.size() + compressing_units * compressed + messages_.size() * encoding_units;
  form.bytes = base::Bytes::copy_of(bytes);
  forms_.push_back(std::move(form));
  return forms_.back();
}

}  // namespace roomcast::hub

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "hub/message.h"

namespace roomcast::hub {

struct PresenceChange;

/// Turns a message into the very bytes that go over one kind of wire: a dialect × transport × compression.
/// One object per combination, shared by all its clients: its address is the cache key.
class Encoder {
 public:
  /// Appends the wire form of `message` of `room` to `out`: the same for every client. Returns how many bytes
  /// were compressed for it, if any.
  virtual std::size_t encode(std::string_view room, const Message& message, std::string& out) const = 0;
  /// Appends what clients who watch `room` are told of `change`: nothing if this wire has no words for it.
  virtual void encode_presence(std::string_view /*room*/, const PresenceChange& /*change*/,
                               std::string& /*out*/) const {}

 protected:
  ~Encoder() = default;
};

/// The messages that a room hands out in one go, with their wire forms. Each form is made once, by the first
/// subscriber who asks, and laid end to end: whoever is owed all of them queues a single reference.
class Batch {
 public:
  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Starts over with these messages; forgets the wire forms. The room's name must outlive the batch.
  void assign(std::string_view room, std::vector<Message>& messages);
  /// Releases messages and wire forms.
  void clear();
  /// The same, and gives back the memory that they stood in.
  void release();

  [[nodiscard]] std::span<const Message> messages() const { return messages_; }

  /// What has been encoded since it was last taken: bytes read and written and, several times, compressed. As
  /// rough as a price may be: a fan-out pauses after an encoding that took long.
  [[nodiscard]] std::size_t encoded_bytes() const { return encoded_bytes_; }
  [[nodiscard]] std::size_t take_encoded_bytes() { return std::exchange(encoded_bytes_, 0); }

  /// The wire form of all messages.
  [[nodiscard]] const base::Bytes& wire(const Encoder& encoder) {
    if (!forms_.empty() && forms_.front().encoder == &encoder) return forms_.front().bytes;
    return find_or_encode(encoder).bytes;
  }
  /// The wire form of the messages [from, to); `to` is at most messages().size().
  [[nodiscard]] base::Bytes wire(const Encoder& encoder, std::size_t from, std::size_t to);

 private:
  struct Form {
    const Encoder* encoder = nullptr;
    base::Bytes bytes;
    std::vector<std::size_t> ends;  // where each message ends within bytes
  };
  const Form& find_or_encode(const Encoder& encoder);

  std::string_view room_;
  std::vector<Message> messages_;
  std::vector<Form> forms_;
  std::size_t encoded_bytes_ = 0;
};

}  // namespace roomcast::hub

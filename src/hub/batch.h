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

struct Amendment;
struct PresenceChange;

/// Encodes messages for one combination of dialect, transport and compression. One object per combination,
/// shared by all its clients: its address identifies the encoding in a Batch.
class Encoder {
 public:
  /// Appends the wire form of `message` of `room` to `out`: the same for every client. Returns how many bytes
  /// were compressed for it, if any.
  virtual std::size_t encode(std::string_view room, const Message& message, std::string& out) const = 0;
  /// Appends the wire form of a presence change of `room`: nothing if the dialect has none.
  virtual void encode_presence(std::string_view /*room*/, const PresenceChange& /*change*/,
                               std::string& /*out*/) const {}
  /// The same for a change to messages that the room's members may have.
  virtual void encode_amendment(std::string_view /*room*/, const Amendment& /*amendment*/,
                                std::string& /*out*/) const {}

 protected:
  ~Encoder() = default;
};

/// How many messages from the front are one page: at most `messages_max`, and at most `bytes_max` of payload
/// but one message at least. `at(i)` returns the message at index i.
template <class At>
[[nodiscard]] std::size_t page_size(std::size_t messages_max, std::size_t bytes_max, const At& at) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (; count < messages_max; ++count) {
    bytes += at(count).payload.size();
    if (count != 0 && bytes > bytes_max) break;
  }
  return count;
}

/// The bound of a page in messages, beside its bytes: encoding a message has a fixed cost too.
inline constexpr std::size_t page_messages = 512;

/// The index of the first message whose offset is greater than `offset`; their number if there is none. O(log
/// n).
[[nodiscard]] std::size_t first_after(std::span<const Message> messages, std::uint64_t offset);

/// The messages that a room delivers together, with their encodings. Each encoding is made once, for the
/// first subscriber that asks for it, with the messages end to end: a subscriber that gets all of them queues
/// a single reference. Of a removed message there is nothing.
class Batch {
 public:
  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Takes these messages instead of the present ones and drops the encodings; `messages` gets the vector of
  /// before, emptied. `room`, the room's name, outlives the batch.
  void assign(std::string_view room, std::vector<Message>& messages);
  /// Releases messages and encodings.
  void clear();
  /// The same, and frees the memory that held them.
  void release();

  /// Applies it to the messages; what is encoded from here on has none of what was before.
  void amend(const Amendment& amendment);

  [[nodiscard]] std::span<const Message> messages() const { return messages_; }
  [[nodiscard]] std::string_view room() const { return room_; }

  /// A rough cost of what has been encoded since it was last taken, in bytes read and written and, several
  /// times, compressed: a fan-out pauses after an encoding that took long.
  [[nodiscard]] std::size_t encoded_bytes() const { return encoded_bytes_; }
  [[nodiscard]] std::size_t take_encoded_bytes() { return std::exchange(encoded_bytes_, 0); }

  /// The wire form of all messages; empty if all are removed.
  [[nodiscard]] const base::Bytes& wire(const Encoder& encoder) {
    if (!encodings_.empty() && encodings_.front().encoder == &encoder) return encodings_.front().bytes;
    return find_or_encode(encoder).bytes;
  }
  /// The wire form of the messages [from, to); `to` is at most messages().size().
  [[nodiscard]] base::Bytes wire(const Encoder& encoder, std::size_t from, std::size_t to);

 private:
  struct Encoding {
    const Encoder* encoder = nullptr;
    base::Bytes bytes;
    std::vector<std::size_t> ends;  // where each message ends within bytes
  };
  const Encoding& find_or_encode(const Encoder& encoder);

  std::string_view room_;
  std::vector<Message> messages_;
  std::vector<Encoding> encodings_;
  std::size_t encoded_bytes_ = 0;
};

}  // namespace roomcast::hub

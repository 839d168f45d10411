#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/frame.h"
#include "hub/message.h"

namespace roomcast::hub {

/// Turns a message into the very bytes that go over one kind of wire: a dialect × transport × compression.
/// One object per combination, shared by all its clients: its address is the cache key.
class Encoder {
 public:
  /// Appends the wire form of `message` to `out`. The same for every client; depends on nothing else.
  virtual void encode(const Message& message, std::string& out) const = 0;

 protected:
  ~Encoder() = default;
};

/// The messages that a room hands out in one go, and their wire forms, each made once by the first who asks
/// and laid end to end, so that whoever is owed all of them queues one reference.
class Batch {
 public:
  explicit Batch(std::span<const Message> messages, std::string& scratch) : messages_(messages), scratch_(scratch) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  [[nodiscard]] std::span<const Message> messages() const { return messages_; }
  /// The wire form of messages [from, to), `to` at most messages().size().
  [[nodiscard]] base::FrameRef wire(const Encoder& encoder, std::size_t from, std::size_t to) const;
  [[nodiscard]] const base::FrameRef& wire(const Encoder& encoder) const { return entry(encoder).bytes; }

 private:
  struct Entry {
    const Encoder* encoder = nullptr;
    base::FrameRef bytes;
    std::vector<std::size_t> ends;  // of each message within bytes
  };
  const Entry& entry(const Encoder& encoder) const {
    if (!entries_.empty() && entries_.front().encoder == &encoder) return entries_.front();
    return find_or_encode(encoder);
  }
  const Entry& find_or_encode(const Encoder& encoder) const;

  std::span<const Message> messages_;
  std::string& scratch_;
  mutable std::vector<Entry> entries_;
};

}  // namespace roomcast::hub

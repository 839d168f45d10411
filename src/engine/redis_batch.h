#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/amendment.h"
#include "hub/message.h"

namespace roomcast::engine {

/// What one call puts into a room's log in Redis: messages, or an amendment, of one node, in the order of
/// their offsets. On the wire and in the stream, little endian, without padding:
///
///     version u8 (1) | node u64 | sequence u64 | count u16 | count x (sender u64, source u16) | count
///     records
///
/// `node` is a random number of the process that publishes, `sequence` its number of the first one; the
/// others follow; `sender` and `source` (hub/message.h) mean something there only. The records are those of
/// the store (store/record.h), with their checksums: message, removed, replaced or cleared. The offset of a
/// message is 0, since its place is not known yet; an amendment has that of the message that it is about, a
/// clear has 0: all that is before itself.
class RedisBatch {
 public:
  static constexpr std::uint8_t version = 1;
  static constexpr std::size_t messages_max = 64;
  static constexpr std::size_t bytes_max = 131'072;  ///< of payload; one message at least, however large

  struct Head {
    std::uint64_t node = 0;
    std::uint64_t sequence = 0;
    std::size_t count = 0;
  };
  /// What stands at one offset of the log.
  struct Entry {
    /// A message, or the place of an amendment (is_removed). Without a position.
    hub::Message message;
    /// Its position has the offset that it is about, of a clear 0, and no epoch.
    std::optional<hub::Amendment> amendment{};
    /// The key it was published with, in the bytes that were read; may be empty.
    std::string_view key{};
    std::array<char, hub::DraftKey::digest_bytes> digest{};  ///< zeros without a key
  };

  RedisBatch(std::uint64_t node, std::uint64_t first_sequence) : node_(node), sequence_(first_sequence) {}

  /// Whether a further message of so much payload fits.
  [[nodiscard]] bool has_space_for(std::size_t payload_bytes) const;
  void add(const hub::Message& message, const hub::DraftKey& key = {});
  void add(const hub::Amendment& amendment, std::int64_t time_ms);
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::string encode() const;

  /// The head of an encoded batch; nothing if the bytes are not one, or of a version that is not known here.
  [[nodiscard]] static std::optional<Head> read_head(std::string_view bytes);
  /// Why read_head or read gave nothing, for the log.
  [[nodiscard]] static std::string_view why_unreadable(std::string_view bytes);
  /// All of it; nothing unless every record is whole and of a known kind, and there are as many as the head
  /// says. Senders and sources are 0 unless the batch is of `own_node`.
  [[nodiscard]] static std::optional<std::vector<Entry>> read(std::string_view bytes, std::uint64_t own_node);

 private:
  std::uint64_t node_;
  std::uint64_t sequence_;
  std::size_t payload_bytes_ = 0;
  std::size_t count_ = 0;
  std::string origins_;  // senders and sources, encoded
  std::string records_;
};

/// What is distributed over a room's channel: `epoch (hexadecimal) - first offset (decimal) : batch`.
struct RedisPush {
  std::uint64_t epoch = 0;
  std::uint64_t first = 0;
  std::string_view batch{};  ///< encoded
};
/// Nothing if the bytes are not that; the batch is not looked at.
[[nodiscard]] std::optional<RedisPush> read_redis_push(std::string_view bytes);

}  // namespace roomcast::engine

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "hub/author.h"
#include "hub/labels.h"
#include "hub/source.h"

namespace roomcast::hub {

/// The kind of a payload. `json` has been checked to be one JSON value.
enum class Kind : std::uint8_t { text, json, binary };

/// Identifies one subscriber for as long as it lives, for leaving out a sender's own messages; 0: none.
using SubscriberId = std::uint64_t;

/// A position in a room's log: the log's identity and the message's number in it.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;  ///< 1, 2, 3 …; 0: before the first message
  friend bool operator==(const Position&, const Position&) = default;
};

/// What a publisher repeats when it repeats a message (see idempotent_publisher.h), for engines that remember
/// it for longer than this server runs. One block, so that drafts stay small.
class DraftKey {
 public:
  static constexpr std::size_t digest_bytes = 16;

  DraftKey() = default;
  /// `digest`, of digest_bytes, tells messages apart by what they are: kind, payload and labels.
  DraftKey(std::string_view text, std::string_view digest) : bytes_(base::Bytes::joined({digest, text})) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::string_view text() const {
    return empty() ? std::string_view{} : bytes_.view().substr(digest_bytes);
  }
  [[nodiscard]] std::size_t held_bytes() const { return bytes_.size(); }
  [[nodiscard]] std::string_view digest() const { return bytes_.view().substr(0, digest_bytes); }

 private:
  base::Bytes bytes_;
};

/// A message before it has a position.
struct Draft {
  Draft() = default;
  Draft(Kind kind_, base::Bytes payload_, Author author_, SubscriberId sender_ = 0, Source source_ = 0)
      : kind(kind_),
        source(source_),
        payload(std::move(payload_)),
        author(std::move(author_)),
        sender(sender_) {}

  Kind kind = Kind::text;
  Source source = 0;        ///< of the publisher; in this place it takes no space
  base::Bytes payload;      ///< a block of its own, not part of a larger one: histories keep it
  Author author;            ///< who publishes it; may be empty
  SubscriberId sender = 0;  ///< the local subscriber it came from, or 0
  Labels labels;
  DraftKey key{};  ///< empty: published without one
};

/// A message that has its position. Immutable; copies share the payload.
struct Message {
  Message() = default;
  Message(Kind kind_, base::Bytes payload_, Author author_, SubscriberId sender_, Position position_,
          std::int64_t time_ms_, Source source_ = 0, Labels labels_ = {})
      : kind(kind_),
        source(source_),
        payload(std::move(payload_)),
        author(std::move(author_)),
        sender(sender_),
        position(position_),
        time_ms(time_ms_),
        labels(std::move(labels_)) {}

  Kind kind = Kind::text;
  bool is_shared = false;  ///< another room keeps the same payload: it is counted there
  /// It has been removed: nothing is left of it but its place, and it is not sent to anyone.
  bool is_removed = false;
  Source source = 0;  ///< 0 if it came from elsewhere
  base::Bytes payload;
  Author author;
  SubscriberId sender = 0;  ///< 0 if it came from elsewhere
  Position position;
  std::int64_t time_ms = 0;  ///< wall clock, milliseconds since the epoch
  Labels labels;             ///< event name and tags, if the publisher gave any
};

}  // namespace roomcast::hub

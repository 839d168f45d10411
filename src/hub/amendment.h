#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "hub/encodings.h"
#include "hub/message.h"
#include "hub/refusal.h"

namespace roomcast::hub {

class Encoder;

/// A change to messages that a room's log has already. Offsets stay as they are: in the place of a removed
/// message is one that is_removed.
struct Amendment {
  enum class What : std::uint8_t {
    removed,   ///< the message at `message.position` is no more
    replaced,  ///< `message` is in the place of the one with its position
    cleared,   ///< all up to `message.position` are no more
  };
  [[nodiscard]] static Amendment remove(const Position& position) { return at(What::removed, position); }
  [[nodiscard]] static Amendment clear(const Position& last) { return at(What::cleared, last); }
  /// `message` has the position; where the one before is known it gets the time and the sender of that.
  [[nodiscard]] static Amendment replace(Message&& message) { return {What::replaced, std::move(message)}; }

  What what = What::removed;
  Message message;

 private:
  [[nodiscard]] static Amendment at(What what, const Position& position) {
    Amendment made{what, {}};
    made.message.position = position;
    return made;
  }
};

/// Applies it to those of `messages` that it concerns; they are in the order of their offsets, of the epoch
/// of the amendment.
void apply_amendment(const Amendment& amendment, std::span<Message> messages);
/// Makes `message` what the amendment makes of it; it is one that it concerns, and not removed.
void apply_amendment(const Amendment& amendment, Message& message);

/// Why a message can't be removed or replaced that is not in the log.
[[nodiscard]] Refusal no_such_message(const Position& position);

/// An amendment on its way to all members, with its encodings: each is made once, for the first member that
/// asks for it.
class AmendmentUpdate {
 public:
  /// The room's name must outlive it.
  AmendmentUpdate(std::string_view room, Amendment&& amendment)
      : room_(room), amendment_(std::move(amendment)) {}
  AmendmentUpdate(const AmendmentUpdate&) = delete;
  AmendmentUpdate& operator=(const AmendmentUpdate&) = delete;

  [[nodiscard]] const Amendment& amendment() const { return amendment_; }
  /// Empty if the dialect has no message for it.
  [[nodiscard]] base::Bytes wire(const Encoder& encoder);

 private:
  std::string_view room_;
  Amendment amendment_;
  Encodings encodings_;
};

}  // namespace roomcast::hub

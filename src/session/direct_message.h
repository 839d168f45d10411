#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "dialect/event.h"
#include "hub/message.h"
#include "session/wire_encoder.h"

namespace roomcast::session {

/// A message to one or several clients, in no room. Its wire forms are made once for all clients of an
/// encoder.
class DirectMessage {
 public:
  DirectMessage(hub::Kind kind, base::Bytes payload, hub::Author from)
      : kind_(kind), payload_(std::move(payload)), from_(std::move(from)) {}

  [[nodiscard]] dialect::Direct event() const { return {from_, kind_, payload_.view()}; }
  /// Empty if dialect and wire together can't express it. For clients without a conversation.
  [[nodiscard]] base::Bytes wire(const WireEncoder& encoder) {
    for (const auto& [of, made] : wires_) {
      if (of == &encoder) return made;
    }
    std::string wire;
    const bool is_possible = encoder.encode_direct(event(), nullptr, wire);
    return wires_.emplace_back(&encoder, is_possible ? base::Bytes::copy_of(wire) : base::Bytes()).second;
  }

 private:
  hub::Kind kind_;
  base::Bytes payload_;
  hub::Author from_;
  std::vector<std::pair<const WireEncoder*, base::Bytes>> wires_;
};

}  // namespace roomcast::session

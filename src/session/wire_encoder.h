#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/dialect.h"
#include "hub/batch.h"
#include "hub/message.h"
#include "session/transport.h"

namespace roomcast::session {

/// Encodes with a dialect and frames for a transport. One object per combination: batches keep one wire form
/// for each.
class WireEncoder final : public hub::Encoder {
 public:
  WireEncoder(const dialect::Dialect& dialect, const Framing& framing)
      : dialect_(dialect), framing_(framing) {}
  WireEncoder(const WireEncoder&) = delete;
  WireEncoder& operator=(const WireEncoder&) = delete;

  std::size_t encode(std::string_view room, const hub::Message& message, std::string& out) const override;
  void encode_presence(std::string_view room, const hub::PresenceChange& change,
                       std::string& out) const override;
  void encode_amendment(std::string_view room, const hub::Amendment& amendment,
                        std::string& out) const override;
  /// Appends the wire form of `event`, which is for a single client; false, and nothing is appended, if
  /// dialect and wire together cannot express it. `conversation`: of that client, or null.
  bool encode_event(const dialect::Event& event, const std::optional<hub::Position>& cursor,
                    dialect::Conversation* conversation, std::string& out) const;

  /// The same for a message to the client itself, which needs no name to be distinguished by.
  bool encode_direct(const dialect::Direct& direct, dialect::Conversation* conversation,
                     std::string& out) const;

  [[nodiscard]] const dialect::Dialect& dialect() const { return dialect_; }
  [[nodiscard]] const Framing& framing() const { return framing_; }

 private:
  class Writer;
  bool encode_for_one(const dialect::Event& event, const std::optional<hub::Position>& cursor,
                      dialect::Conversation* conversation, std::string& out) const;
  /// The same for an event that members of a room share.
  void encode_shared(const dialect::Event& event, std::string& out) const;
  /// Whether an event can be distinguished from a message: by its envelope, or by its name on the wire.
  [[nodiscard]] bool can_send_events() const { return dialect_.has_envelope() || framing_.names_events(); }

  const dialect::Dialect& dialect_;
  const Framing& framing_;
};

}  // namespace roomcast::session

#pragma once

#include "dialect/dialect.h"

namespace roomcast::dialect {

/// No envelope: what a client sends is published, and payloads of the room are delivered verbatim.
class Raw final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "raw"; }
  void decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const override;
  void encode(std::string_view room, const hub::Message& message, PayloadWriter& out) const override;
  [[nodiscard]] bool has_envelope() const override { return false; }
  bool encode(const Event& event, PayloadWriter& out) const override;
  /// The message's own event name; empty if EventSource or this dialect uses that name itself, and for binary
  /// messages, which are marked by theirs.
  [[nodiscard]] std::string_view event_name(const hub::Message& message) const override;
  [[nodiscard]] std::string_view event_name(const Event& event) const override;
};

}  // namespace roomcast::dialect

#pragma once

#include "dialect/dialect.h"

namespace roomcast::dialect {

/// Returns every message to its sender; for diagnosis and protocol test suites. Joins no room.
class Echo final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "echo"; }
  void decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const override;
  void encode(std::string_view room, const hub::Message& message, PayloadWriter& out) const override;
  [[nodiscard]] bool has_envelope() const override { return false; }
  bool encode(const Event& event, PayloadWriter& out) const override;
};

}  // namespace roomcast::dialect

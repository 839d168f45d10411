#pragma once

#include "dialect/dialect.h"

namespace roomcast::dialect {

/// Sends everything back to whoever sent it; for diagnosis and protocol test suites. Joins no room.
class Echo final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "echo"; }
  void decode(Form form, std::string_view bytes, Commands& commands) const override;
  Encoded encode(std::string_view room, const hub::Message& message, std::string& space) const override;
  [[nodiscard]] bool has_envelope() const override { return false; }
  std::optional<Form> encode(const Event& event, std::string& out) const override;
};

}  // namespace roomcast::dialect

#pragma once

#include "dialect/dialect.h"

namespace roomcast::dialect {

/// No envelope: what a client sends is published, what the room gets arrives verbatim.
class Raw final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "raw"; }
  void decode(Form form, std::string_view bytes, Commands& commands) const override;
  Encoded encode(std::string_view room, const hub::Message& message, std::string& space) const override;
  [[nodiscard]] bool has_envelope() const override { return false; }
  std::optional<Form> encode(const Event& event, std::string& out) const override;
  [[nodiscard]] std::string_view event_name(const Event& event) const override;
};

}  // namespace roomcast::dialect

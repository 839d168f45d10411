#pragma once

#include "dialect/dialect.h"

namespace roomcast::dialect {

/// `roomcast.v1`: one JSON object per text message, either way, told apart by its member `type`.
///
/// Broken JSON and binary messages end the connection; whatever else makes no sense is refused, with the
/// request's id if it has one. Payloads pass through as they were written.
class Json final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "json"; }
  void decode(Form form, std::string_view bytes, Commands& commands) const override;
  Encoded encode(std::string_view room, const hub::Message& message, std::string& space) const override;
  [[nodiscard]] bool has_envelope() const override { return true; }
  std::optional<Form> encode(const Event& event, std::string& out) const override;
};

}  // namespace roomcast::dialect

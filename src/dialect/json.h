#pragma once

#include <cstddef>

#include "dialect/dialect.h"
#include "dialect/json_request.h"

namespace roomcast::dialect {

/// `roomcast.v1`: one JSON object per text message, either way, told apart by its member `type`.
///
/// Broken JSON and binary messages end the connection; whatever else makes no sense is refused, with the
/// request's id if it has one. Payloads pass through as they were written, but for escaped surrogates without
/// their other half, which become U+FFFD.
class Json final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "json"; }
  void decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const override;
  void encode(std::string_view room, const hub::Message& message, PayloadWriter& out) const override;
  [[nodiscard]] bool has_envelope() const override { return true; }
  bool encode(const Event& event, PayloadWriter& out) const override;

  /// How deep a request may be nested: one more than its payload may be.
  void set_depth_max(std::size_t depth_max) { depth_max_ = depth_max; }

 private:
  std::size_t depth_max_ = json_request_depth_max;
};

}  // namespace roomcast::dialect

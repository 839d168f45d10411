#pragma once

#include <cstddef>

#include "dialect/dialect.h"
#include "dialect/json_request.h"

namespace roomcast::dialect {

/// `roomcast.v1`: one JSON object per text message, in both directions, of the type that its member `type`
/// names.
///
/// Invalid JSON and binary messages close the connection; other invalid requests are answered with an error,
/// with the request's id if it has one. Payloads pass through unchanged, except that unpaired escaped
/// surrogates become U+FFFD.
class Json final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "json"; }
  void decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const override;
  void encode(std::string_view room, const hub::Message& message, PayloadWriter& out) const override;
  [[nodiscard]] bool has_envelope() const override { return true; }
  bool encode(const Event& event, PayloadWriter& out) const override;
  [[nodiscard]] bool can_authenticate() const override { return true; }

  /// The nesting depth allowed for a request: one more than for its payload.
  void set_depth_max(std::size_t depth_max) { depth_max_ = depth_max; }

 private:
  std::size_t depth_max_ = json_request_depth_max;
};

}  // namespace roomcast::dialect

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

/// A dialect's meaning in a transport's framing: what the encode cache is keyed by.
class WireEncoder final : public hub::Encoder {
 public:
  WireEncoder(const dialect::Dialect& dialect, const Framing& framing)
      : dialect_(dialect), framing_(framing) {}
  WireEncoder(const WireEncoder&) = delete;
  WireEncoder& operator=(const WireEncoder&) = delete;

  std::size_t encode(std::string_view room, const hub::Message& message, std::string& out) const override;
  void encode_presence(std::string_view room, const hub::PresenceChange& change,
                       std::string& out) const override;
  /// Appends the wire form of `event`, which is for a single client, if dialect and wire together have words
  /// for it, and says whether.
  bool encode_event(const dialect::Event& event, const std::optional<hub::Position>& cursor,
                    std::string& out) const {
    return encode_event(event, cursor, true, out);
  }

  [[nodiscard]] const dialect::Dialect& dialect() const { return dialect_; }
  [[nodiscard]] const Framing& framing() const { return framing_; }

 private:
  bool encode_event(const dialect::Event& event, const std::optional<hub::Position>& cursor, bool for_one,
                    std::string& out) const;

  const dialect::Dialect& dialect_;
  const Framing& framing_;
};

}  // namespace roomcast::session

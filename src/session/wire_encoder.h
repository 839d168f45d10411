#pragma once

#include <string>
#include <string_view>

#include "dialect/dialect.h"
#include "hub/encode_cache.h"
#include "session/transport.h"

namespace roomcast::session {

/// A dialect's meaning in a transport's framing: what the encode cache is keyed by.
class WireEncoder final : public hub::Encoder {
 public:
  WireEncoder(const dialect::Dialect& dialect, const Framing& framing)
      : dialect_(dialect), framing_(framing) {}
  WireEncoder(const WireEncoder&) = delete;
  WireEncoder& operator=(const WireEncoder&) = delete;

  void encode(std::string_view room, const hub::Message& message, std::string& out) const override {
    std::string payload;
    const dialect::Form form = dialect_.encode(room, message, payload);
    framing_.frame({form, payload, {}, message.position}, out);
  }

  [[nodiscard]] const dialect::Dialect& dialect() const { return dialect_; }
  [[nodiscard]] const Framing& framing() const { return framing_; }

 private:
  const dialect::Dialect& dialect_;
  const Framing& framing_;
};

}  // namespace roomcast::session

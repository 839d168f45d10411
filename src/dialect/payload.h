#pragma once

#include <cstdint>
#include <string_view>

#include "hub/message.h"

namespace roomcast::dialect {

/// How a transport carries a payload, where it distinguishes the two: WebSocket opcode text or binary.
enum class PayloadForm : std::uint8_t { text, binary };

/// Takes the payloads that a message or an event is encoded to.
class PayloadWriter {
 public:
  /// Appends one payload. `more`: it is not the last of this message or event, which spans several.
  virtual void write(PayloadForm form, std::string_view bytes, bool more = false) = 0;

 protected:
  ~PayloadWriter() = default;
};

/// Writes a payload with nothing around it.
inline void write_verbatim(hub::Kind kind, std::string_view payload, PayloadWriter& out) {
  out.write(kind == hub::Kind::binary ? PayloadForm::binary : PayloadForm::text, payload);
}
inline void write_verbatim(const hub::Message& message, PayloadWriter& out) {
  write_verbatim(message.kind, message.payload.view(), out);
}

}  // namespace roomcast::dialect

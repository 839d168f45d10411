#include "dialect/echo.h"

namespace roomcast::dialect {

void Echo::decode(Form form, std::string_view bytes, Commands& commands) const {
  commands.reply(form, bytes);
}

Encoded Echo::encode(std::string_view /*room*/, const hub::Message& message, std::string& /*space*/) const {
  return verbatim(message);
}

std::optional<Form> Echo::encode(const Event& /*event*/, std::string& /*out*/) const { return std::nullopt; }

}  // namespace roomcast::dialect

#include "dialect/echo.h"

namespace roomcast::dialect {

void Echo::decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const {
  handler.reply(form, bytes);
}

void Echo::encode(std::string_view /*room*/, const hub::Message& message, PayloadWriter& out) const {
  write_verbatim(message, out);
}

bool Echo::encode(const Event& /*event*/, PayloadWriter& /*out*/) const { return false; }

}  // namespace roomcast::dialect

#include "dialect/raw.h"

namespace roomcast::dialect {

void Raw::decode(Form form, std::string_view bytes, Commands& commands) const {
  commands.publish(form == Form::text ? hub::Kind::text : hub::Kind::binary, bytes);
}

Form Raw::encode(std::string_view /*room*/, const hub::Message& message, std::string& out) const {
  out += message.payload.view();
  return message.kind == hub::Kind::binary ? Form::binary : Form::text;
}

}  // namespace roomcast::dialect

#include "dialect/raw.h"

#include "dialect/event_json.h"

namespace roomcast::dialect {

void Raw::decode(Form form, std::string_view bytes, Commands& commands) const {
  commands.publish(form == Form::text ? hub::Kind::text : hub::Kind::binary, bytes);
}

Form Raw::encode(std::string_view /*room*/, const hub::Message& message, std::string& out) const {
  out += message.payload.view();
  return message.kind == hub::Kind::binary ? Form::binary : Form::text;
}

std::optional<Form> Raw::encode(const Event& event, std::string& out) const {
  if (const auto* found = std::get_if<GapFound>(&event)) {
    out += '{';
    append_gap_members(out, *found);
  } else if (const auto* goodbye = std::get_if<Goodbye>(&event)) {
    out += '{';
    append_goodbye_members(out, *goodbye);
  } else {
    return std::nullopt;
  }
  out += '}';
  return Form::text;
}

}  // namespace roomcast::dialect

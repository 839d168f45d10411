#include "dialect/raw.h"

#include "dialect/event_json.h"

namespace roomcast::dialect {

void Raw::decode(Form form, std::string_view bytes, Commands& commands) const {
  commands.publish(form == Form::text ? hub::Kind::text : hub::Kind::binary, bytes);
}

Encoded Raw::encode(std::string_view /*room*/, const hub::Message& message, std::string& /*space*/) const {
  return verbatim(message);
}

std::optional<Form> Raw::encode(const Event& event, std::string& out) const {
  if (const auto* subscribed = std::get_if<Subscribed>(&event)) {
    out += '{';
    append_place_members(out, subscribed->room, subscribed->cursor);
  } else if (const auto* found = std::get_if<GapFound>(&event)) {
    out += '{';
    append_gap_members(out, *found);
  } else if (const auto* goodbye = std::get_if<Bye>(&event)) {
    out += '{';
    append_goodbye_members(out, *goodbye);
  } else {
    return std::nullopt;
  }
  out += '}';
  return Form::text;
}

std::string_view Raw::event_name(const Event& event) const {
  return std::holds_alternative<Subscribed>(event) ? "joined" : name_of(event);
}

}  // namespace roomcast::dialect

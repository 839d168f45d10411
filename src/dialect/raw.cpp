#include "dialect/raw.h"

#include <algorithm>
#include <array>
#include <string>

#include "dialect/event_json.h"
#include "dialect/message_json.h"

namespace roomcast::dialect {

void Raw::decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const {
  handler.publish(form == PayloadForm::text ? hub::Kind::text : hub::Kind::binary, bytes);
}

void Raw::encode(std::string_view /*room*/, const hub::Message& message, PayloadWriter& out) const {
  write_verbatim(message, out);
}

bool Raw::encode(const Event& event, PayloadWriter& out) const {
  if (const auto* direct = std::get_if<Direct>(&event)) {
    write_verbatim(direct->kind, direct->payload, out);
    return true;
  }
  std::string json = "{";
  if (const auto* subscribed = std::get_if<Subscribed>(&event)) {
    append_place_members(json, subscribed->room, subscribed->cursor);
  } else if (const auto* found = std::get_if<GapFound>(&event)) {
    append_gap_members(json, *found);
  } else if (const auto* deleted = std::get_if<MessageDeleted>(&event)) {
    append_place_members(json, deleted->room, deleted->cursor);
  } else if (const auto* replaced = std::get_if<MessageReplaced>(&event)) {
    append_message_members(json, replaced->room, *replaced->message);
  } else if (const auto* cleared = std::get_if<RoomCleared>(&event)) {
    append_place_members(json, cleared->room, cleared->cursor);
  } else if (const auto* bye = std::get_if<Bye>(&event)) {
    append_bye_members(json, *bye);
  } else {
    return false;
  }
  json += '}';
  out.write(PayloadForm::text, json);
  return true;
}

std::string_view Raw::event_name(const hub::Message& message) const {
  constexpr std::array<std::string_view, 11> reserved{"joined",  "gap",      "bye",     "binary",
                                                      "open",    "error",    "message", "direct",
                                                      "deleted", "replaced", "cleared"};
  const std::string_view name = message.labels.event();
  const bool is_taken = std::find(reserved.begin(), reserved.end(), name) != reserved.end();
  return is_taken || message.kind == hub::Kind::binary ? std::string_view() : name;
}

std::string_view Raw::event_name(const Event& event) const {
  return std::holds_alternative<Subscribed>(event) ? "joined" : name_of(event);
}

}  // namespace roomcast::dialect

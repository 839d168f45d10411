#pragma once

#include <string>
#include <string_view>

#include "dialect/event.h"

namespace roomcast::dialect {

/// Appends `"room","cursor"` without the braces: a place in a room's order.
void append_place_members(std::string& out, std::string_view room, const hub::Position& cursor);
/// Appends `{"room","cursor","earliest"}`'s members without the braces: where the stream goes on, and the
/// earliest place that is still good to go on from.
void append_gap_members(std::string& out, const GapFound& found);
/// Appends `"code","reason"` and, where there are any, `"retry_ms"` and `"message"`, without the braces.
void append_bye_members(std::string& out, const Bye& bye);
/// Appends `"count"`, `"members"` if they are known, and `"anonymous"`, without the braces.
void append_presence_members(std::string& out, const hub::PresenceSnapshot& presence);
/// Appends the event as one JSON object on one line, its name as `type`.
void append_event_json(std::string& out, const Event& event);

}  // namespace roomcast::dialect

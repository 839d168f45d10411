#pragma once

#include <string>
#include <string_view>

#include "hub/message.h"

namespace roomcast::dialect {

/// Appends the message as one JSON object on one line:
/// `{"type":"message","room","cursor","time","from","data"}`, with the member of append_principal_member
/// behind `from`, and `event` and `tags` before `data` if the message has them. `from` is null if the sender
/// has no name. A text payload is a JSON string; a json payload stands as it came, line breaks between its
/// tokens replaced by spaces; a binary one is `data_base64` (RFC 4648 section 4) in place of `data`.
void append_message_json(std::string& out, std::string_view room, const hub::Message& message);
/// Appends `,"from"`: null if `author` is empty; and what append_principal_member does.
void append_from(std::string& out, const hub::Author& author);
/// Appends `"room","cursor","time","from",…` of that without the braces.
void append_message_members(std::string& out, std::string_view room, const hub::Message& message);

/// Appends what says that a client is identified, with the comma before it: `,"user":ID` or `,"key":NAME`;
/// nothing for an anonymous one. `principal`: as hub::Author has it.
void append_principal_member(std::string& out, std::string_view principal);
/// Appends `,"data"` or `,"data_base64"`, as above.
void append_payload(std::string& out, hub::Kind kind, std::string_view payload);

}  // namespace roomcast::dialect

#include "dialect/message_json.h"

#include "base/digest.h"
#include "base/json.h"
#include "dialect/labels_json.h"
#include "hub/cursor.h"

namespace roomcast::dialect {

namespace {

/// Valid JSON has line breaks only between its tokens, where a space means the same.
void append_on_one_line(std::string& out, std::string_view json) {
  while (!json.empty()) {
    const std::size_t line = json.find_first_of("\r\n");
    out += json.substr(0, line);
    if (line == std::string_view::npos) return;
    out += ' ';
    json.remove_prefix(line + 1);
  }
}

}  // namespace

void append_principal_member(std::string& out, std::string_view principal) {
  if (principal.empty()) return;
  // It begins with the name of the member.
  const std::size_t colon = principal.find(':');
  out += ",\"";
  out += principal.substr(0, colon);
  out += "\":";
  base::append_json_string(out, principal.substr(colon + 1));
}

void append_message_json(std::string& out, std::string_view room, const hub::Message& message) {
  out += R"({"type":"message",)";
  append_message_members(out, room, message);
  out += '}';
}

void append_message_members(std::string& out, std::string_view room, const hub::Message& message) {
  out += R"("room":)";
  base::append_json_string(out, room);
  out += R"(,"cursor":")" + hub::to_cursor(message.position);
  out += R"(","time":)" + std::to_string(message.time_ms);
  append_from(out, message.author);
  append_labels_members(out, message.labels);
  append_payload(out, message.kind, message.payload.view());
}

void append_from(std::string& out, const hub::Author& author) {
  out += R"(,"from":)";
  if (author.empty()) {
    out += "null";
  } else {
    base::append_json_string(out, author.name());
    append_principal_member(out, author.principal());
  }
}

void append_payload(std::string& out, hub::Kind kind, std::string_view payload) {
  switch (kind) {
    case hub::Kind::text:
      out += R"(,"data":)";
      base::append_json_string(out, payload);
      break;
    case hub::Kind::json:
      out += R"(,"data":)";
      append_on_one_line(out, payload);
      break;
    case hub::Kind::binary:
      out += R"(,"data_base64":")" + base::base64_encode(payload) + '"';
      break;
  }
}

}  // namespace roomcast::dialect

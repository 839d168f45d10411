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
  out += R"({"type":"message","room":)";
  base::append_json_string(out, room);
  out += R"(,"cursor":")" + hub::to_cursor(message.position);
  out += R"(","time":)" + std::to_string(message.time_ms);
  out += R"(,"from":)";
  const hub::Author& author = message.author;
  if (author.empty()) {
    out += "null";
  } else {
    base::append_json_string(out, author.name());
    append_principal_member(out, author.principal());
  }
  append_labels_members(out, message.labels);
  switch (message.kind) {
    case hub::Kind::text:
      out += R"(,"data":)";
      base::append_json_string(out, message.payload.view());
      break;
    case hub::Kind::json:
      out += R"(,"data":)";
      append_on_one_line(out, message.payload.view());
      break;
    case hub::Kind::binary:
      out += R"(,"data_base64":")" + base::base64_encode(message.payload.view()) + '"';
      break;
  }
  out += '}';
}

}  // namespace roomcast::dialect

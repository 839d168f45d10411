#include "api/publish_format.h"

#include "base/json.h"
#include "base/text.h"
#include "hub/cursor.h"

namespace roomcast::api {

std::string media_type(const http::Request& request) {
  const std::string_view value = request.headers.get("Content-Type").value_or("");
  return base::lower_case(value.substr(0, value.find_first_of("; \t")));
}

bool is_json(std::string_view type) {
  return type == "application/json" || (type.ends_with("+json") && type.find('/') != std::string_view::npos);
}

void append_receipt(std::string& out, std::string_view room, const hub::Receipt& receipt) {
  out += R"({"room":)";
  base::append_json_string(out, room);
  out += R"(,"cursor":")" + hub::to_cursor(receipt.position);
  out += R"(","subscribers":)" + std::to_string(receipt.subscribers);
  out += receipt.duplicate ? R"(,"duplicate":true})" : "}";
}

}  // namespace roomcast::api

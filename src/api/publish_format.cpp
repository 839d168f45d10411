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

hub::Kind kind_of_body(const http::Request& request) {
  const std::string type = media_type(request);
  if (type.rfind("text/", 0) == 0) return hub::Kind::text;
  if (is_json(type)) return hub::Kind::json;
  // The default of curl and others for a body without a type: mostly it is a sentence.
  if (type == "application/x-www-form-urlencoded" && base::is_valid_utf8(request.body))
    return hub::Kind::text;
  return hub::Kind::binary;
}

std::optional<base::Refusal> check_encoding(const http::Request& request) {
  if (request.headers.get("Content-Encoding").value_or("identity") == "identity") return std::nullopt;
  return base::Refusal{base::Refusal::Code::unsupported_encoding,
                       "a body is taken as it is: send no Content-Encoding"};
}

void append_receipt(std::string& out, std::string_view room, const hub::Receipt& receipt) {
  out += R"({"room":)";
  base::append_json_string(out, room);
  out += R"(,"cursor":")" + hub::to_cursor(receipt.position);
  out += R"(","subscribers":)" + std::to_string(receipt.subscribers);
  if (receipt.duplicate) out += R"(,"duplicate":true)";
  out += receipt.durable ? R"(,"durable":true})" : "}";
}

}  // namespace roomcast::api

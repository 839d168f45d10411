#include "api/publish_outcome.h"

#include "base/json.h"
#include "base/text.h"
#include "hub/cursor.h"

namespace roomcast::api {

std::optional<base::Refusal> check_payload_size(std::size_t bytes, std::uint64_t message_bytes) {
  if (bytes <= message_bytes) return std::nullopt;
  return base::Refusal{base::Refusal::Code::message_too_big, "the message has " + std::to_string(bytes) +
                                                                 " bytes, limits.message_bytes allows " +
                                                                 std::to_string(message_bytes)};
}

std::optional<base::Refusal> check_json_depth(std::string_view payload, std::uint64_t json_depth) {
  if (!base::is_json_deeper_than(payload, json_depth)) return std::nullopt;
  return base::Refusal{
      base::Refusal::Code::json_too_deep,
      "the message is JSON nested deeper than limits.json_depth allows: " + std::to_string(json_depth)};
}

std::optional<base::Refusal> check_payload(hub::Kind kind, std::string_view payload,
                                           std::uint64_t message_bytes, std::uint64_t json_depth) {
  if (auto problem = check_payload_size(payload.size(), message_bytes)) return problem;
  if (kind == hub::Kind::text && !base::is_valid_utf8(payload)) {
    return base::Refusal{base::Refusal::Code::invalid_text, "a text/* body must be UTF-8"};
  }
  // Sound JSON, as nearly all is, is read once.
  if (kind == hub::Kind::json && base::judge_json(payload, json_depth) == base::JsonVerdict::valid) {
    return std::nullopt;
  }
  if (kind == hub::Kind::json && base::judge_json(payload) == base::JsonVerdict::broken) {
    return base::Refusal{base::Refusal::Code::invalid_json,
                         "an application/json body must be one JSON value"};
  }
  if (kind == hub::Kind::binary) return std::nullopt;
  return check_json_depth(payload, json_depth);
}

void append_receipt(std::string& out, std::string_view room, const hub::Receipt& receipt) {
  out += R"({"room":)";
  base::append_json_string(out, room);
  out += R"(,"cursor":")" + hub::to_cursor(receipt.position);
  out += R"(","subscribers":)" + std::to_string(receipt.subscribers);
  out += receipt.duplicate ? R"(,"duplicate":true})" : "}";
}

}  // namespace roomcast::api

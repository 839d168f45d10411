#include "api/publish_outcome.h"

#include "base/json.h"
#include "hub/cursor.h"

namespace roomcast::api {

void append_receipt(std::string& out, std::string_view room, const hub::Receipt& receipt) {
  out += R"({"room":)";
  base::append_json_string(out, room);
  out += R"(,"cursor":")" + hub::to_cursor(receipt.position);
  out += R"(","subscribers":)" + std::to_string(receipt.subscribers);
  out += receipt.duplicate ? R"(,"duplicate":true})" : "}";
}

}  // namespace roomcast::api

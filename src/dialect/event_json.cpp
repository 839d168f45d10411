#include "dialect/event_json.h"

#include "base/json.h"
#include "hub/cursor.h"

namespace roomcast::dialect {

void append_gap_members(std::string& out, const GapFound& found) {
  out += R"("room":)";
  base::append_json_string(out, found.room);
  out += R"(,"cursor":")" + hub::to_cursor(found.gap.cursor);
  out += R"(","earliest":")" + hub::to_cursor(found.gap.earliest) + '"';
}

void append_goodbye_members(std::string& out, const Goodbye& goodbye) {
  out += R"("code":)" + std::to_string(goodbye.code);
  out += R"(,"reason":)";
  base::append_json_string(out, goodbye.reason);
  if (goodbye.retry_ms) out += R"(,"retry_ms":)" + std::to_string(*goodbye.retry_ms);
}

}  // namespace roomcast::dialect

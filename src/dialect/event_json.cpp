#include "dialect/event_json.h"

#include "base/json.h"
#include "hub/cursor.h"

namespace roomcast::dialect {

void append_place_members(std::string& out, std::string_view room, const hub::Position& cursor) {
  out += R"("room":)";
  base::append_json_string(out, room);
  out += R"(,"cursor":")" + hub::to_cursor(cursor) + '"';
}

void append_gap_members(std::string& out, const GapFound& found) {
  append_place_members(out, found.room, found.gap.cursor);
  out += R"(,"earliest":")" + hub::to_cursor(found.gap.earliest) + '"';
}

void append_goodbye_members(std::string& out, const Goodbye& goodbye) {
  out += R"("code":)" + std::to_string(goodbye.code);
  out += R"(,"reason":)";
  base::append_json_string(out, goodbye.reason);
  if (goodbye.retry_ms) out += R"(,"retry_ms":)" + std::to_string(*goodbye.retry_ms);
}

}  // namespace roomcast::dialect

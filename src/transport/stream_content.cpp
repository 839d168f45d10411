#include "transport/stream_content.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/digest.h"
#include "hub/cursor.h"

namespace roomcast::transport {

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += '\n';
}

void append_data(std::string& out, std::string_view payload) {
  for (;;) {
    const std::size_t end = payload.find_first_of("\r\n");
    append_field(out, "data", payload.substr(0, end));
    if (end == std::string_view::npos) return;
    const bool is_pair = payload.substr(end, 2) == "\r\n";
    payload.remove_prefix(end + (is_pair ? 2 : 1));
  }
}

}  // namespace

std::size_t SseFraming::frame(const session::OutgoingPayload& payload, std::string& out) const {
  const bool is_binary = payload.form == dialect::PayloadForm::binary;
  if (!payload.event.empty()) {
    append_field(out, "event", payload.event);
  } else if (is_binary) {
    append_field(out, "event", "binary");
  }
  if (payload.cursor) append_field(out, "id", hub::to_cursor(*payload.cursor));
  if (is_binary) {
    append_field(out, "data", base::base64_encode(payload.bytes));
  } else {
    append_data(out, payload.bytes);
  }
  out += '\n';
  return 0;
}

std::string SseFraming::opening() const { return sse_opening(sse_retry_ms()); }

std::int64_t sse_retry_ms(std::int64_t least_ms) {
  constexpr std::int64_t always_ms = 2'000;
  constexpr std::uint64_t spread_ms = 2'001;
  return std::max(least_ms, always_ms) + static_cast<std::int64_t>(base::random_u64() % spread_ms);
}

std::string sse_opening(std::int64_t retry_ms) {
  std::string opening;
  append_field(opening, "retry", std::to_string(retry_ms));
  opening += sse_heartbeat;
  return opening;
}

}  // namespace roomcast::transport

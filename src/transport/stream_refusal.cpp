#include "transport/stream_refusal.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "transport/stream_content.h"

namespace roomcast::transport {

namespace {

/// What Retry-After says; 0 without one.
std::int64_t retry_after_ms(const http::Headers& headers) {
  const std::string_view text = headers.get("Retry-After").value_or("");
  std::int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds * 1000;
}

}  // namespace

void let_event_source_return(const http::Request& /*request*/, http::Response& response) {
  if (!response.is_temporary) return;
  std::string body = sse_opening(sse_retry_ms(retry_after_ms(response.headers)));
  // A comment is of one line.
  const std::string_view said = response.body.view();
  body.append(": ").append(said.substr(0, said.find_first_of("\r\n"))).append("\n\n");
  response.status = 200;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store, no-transform");
  if (!response.headers.has_token("Vary", "Accept")) response.headers.add("Vary", "Accept");
  response.body = base::Bytes::copy_of(body);
}

}  // namespace roomcast::transport

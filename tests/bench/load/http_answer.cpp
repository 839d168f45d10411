#include "load/http_answer.h"

#include <strings.h>

#include <charconv>

namespace roomcast::bench {

namespace {

constexpr std::string_view subprotocol = "roomcast.v1";
constexpr std::string_view poll_wait_seconds = "50";
// The sample of RFC 6455 section 1.3: the key need not be random where no cache lies between.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept_of_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view deflate = "permessage-deflate";
constexpr std::string_view no_server_context = "server_no_context_takeover";

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t'))
    text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t'))
    text.remove_suffix(1);
  return text;
}

int read_status(std::string_view line) {
  constexpr std::string_view version = "HTTP/1.1 ";
  int status = 0;
  if (!line.starts_with(version)) return 0;
  std::from_chars(line.data() + version.size(), line.data() + line.size(), status);
  return status;
}

void read_field(std::string_view line, HttpAnswer& answer) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equals_ignoring_case(name, "Sec-WebSocket-Accept")) answer.accept = value;
  if (equals_ignoring_case(name, "Sec-WebSocket-Protocol")) answer.protocol = value;
  if (equals_ignoring_case(name, "Sec-WebSocket-Extensions")) answer.extensions = value;
  if (equals_ignoring_case(name, "Transfer-Encoding") && equals_ignoring_case(value, "chunked")) {
    answer.body = HttpBody(HttpBody::Length::chunked);
  }
  if (equals_ignoring_case(name, "Content-Length")) {
    std::uint64_t bytes = 0;
    std::from_chars(value.data(), value.data() + value.size(), bytes);
    answer.body = HttpBody(HttpBody::Length::counted, bytes);
  }
}

std::string fields_of(const ClientKind& kind) {
  switch (kind.way) {
    case Way::event_stream:
      return "Accept: text/event-stream\r\n";
    case Way::ndjson:
      return "Accept: application/x-ndjson\r\n";
    case Way::long_poll:
      return "Accept: application/json\r\n";
    case Way::websocket:
      break;
  }
  std::string fields = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  fields.append("Sec-WebSocket-Key: ").append(key).append("\r\n");
  if (kind.dialect == Dialect::json) {
    fields.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  }
  if (kind.deflate) {
    fields.append("Sec-WebSocket-Extensions: ").append(deflate).append("; ").append(no_server_context);
    fields.append("; client_no_context_takeover\r\n");
  }
  return fields;
}

/// The query that `kind` needs, with the character that begins or continues one.
std::string query_of(const ClientKind& kind, std::string_view path, std::string_view cursor) {
  std::string query;
  const bool names_dialect = kind.way == Way::event_stream && kind.dialect == Dialect::json;
  if (names_dialect) query.append("&dialect=").append(subprotocol);
  if (!cursor.empty()) query.append("&wait=").append(poll_wait_seconds).append("&since=").append(cursor);
  if (!query.empty() && path.find('?') == std::string_view::npos) query.front() = '?';
  return query;
}

}  // namespace

HttpAnswer take_answer_head(std::string_view bytes) {
  constexpr std::string_view line_end = "\r\n";
  constexpr std::string_view head_end = "\r\n\r\n";
  HttpAnswer answer;
  const std::size_t end = bytes.find(head_end);
  if (end == std::string_view::npos) return answer;
  answer.used = end + head_end.size();
  std::string_view lines = bytes.substr(0, end + line_end.size());
  answer.status_line = lines.substr(0, lines.find(line_end));
  answer.status = read_status(answer.status_line);
  while (!lines.empty()) {
    const std::size_t length = lines.find(line_end);
    read_field(lines.substr(0, length), answer);
    lines.remove_prefix(length + line_end.size());
  }
  return answer;
}

std::string make_request(const ClientKind& kind, std::string_view host, std::string_view path,
                         std::string_view cursor) {
  std::string request = "GET ";
  request.append(path).append(query_of(kind, path, cursor)).append(" HTTP/1.1\r\nHost: ").append(host);
  return request.append("\r\n").append(fields_of(kind)).append("\r\n");
}

bool is_agreed(const ClientKind& kind, const HttpAnswer& answer) {
  if (kind.way != Way::websocket) return answer.status == 200;
  if (answer.status != 101 || answer.accept != accept_of_key) return false;
  if (kind.dialect == Dialect::json && answer.protocol != subprotocol) return false;
  const bool is_compressed = answer.extensions.starts_with(deflate);
  const bool forgets = answer.extensions.find(no_server_context) != std::string_view::npos;
  return kind.deflate ? is_compressed && forgets : !is_compressed;
}

}  // namespace roomcast::bench

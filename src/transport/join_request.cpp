#include "transport/join_request.h"

#include <charconv>
#include <optional>
#include <utility>

#include "http/url.h"
#include "hub/cursor.h"

namespace roomcast::transport {

namespace {

std::optional<std::size_t> parse_count(std::string_view text) {
  std::size_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop != end) return std::nullopt;
  return count;
}

/// Why it makes no sense, if so.
std::optional<base::Refusal> read_query(const http::Request& request, JoinRequest& join) {
  // Else a cursor that was garbled on its way would be as good as none, and messages missed in silence.
  if (const auto query = http::percent_decode(request.query); !query) {
    return base::Refusal{base::Refusal::Code::bad_query, query.error().message};
  }
  const auto echo = request.query_parameter("echo");
  join.own_asked = echo.has_value();
  join.own_messages = echo != "0";
  const auto since = request.query_parameter("since");
  if (since && !join.interest.since) {
    join.interest.since = hub::parse_cursor(*since);
    if (!join.interest.since) {
      return base::Refusal{base::Refusal::Code::bad_cursor,
                           "since must be a cursor as this server gives them"};
    }
  }
  if (const auto history = request.query_parameter("history")) {
    join.interest.history = parse_count(*history);
    if (!join.interest.history) {
      return base::Refusal{base::Refusal::Code::bad_history, "history must be a whole number of messages"};
    }
  }
  join.interest.watch_presence = request.query_parameter("presence") == "1";
  return std::nullopt;
}

}  // namespace

base::Result<JoinRequest, base::Refusal> parse_join_request(const http::Request& request,
                                                            const access::Identity& identity,
                                                            std::optional<std::string_view> room) {
  JoinRequest join;
  join.caller = {identity, request.query_parameter("name").value_or(""), 0, request.client.address};
  join.room = room.value_or("");
  const std::string_view last = request.headers.get("Last-Event-ID").value_or("");
  join.interest.since = hub::parse_cursor(last);
  if (!request.query.empty()) {
    if (auto refusal = read_query(request, join)) return *std::move(refusal);
  }
  if (!join.interest.since && !last.empty()) join.interest.since = hub::Position{};
  return join;
}

base::Result<JoinRequest, base::Refusal> read_join_request(const http::Request& request,
                                                           const access::Identity& identity,
                                                           std::optional<std::string_view> room,
                                                           const service::Rooms& rooms) {
  auto join = parse_join_request(request, identity, room);
  if (!join) return join;
  if (auto refusal = rooms.check_join(join->caller, room, join->interest)) return *std::move(refusal);
  return join;
}

}  // namespace roomcast::transport

#include "transport/poll_join.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "base/text.h"
#include "transport/join_request.h"
#include "transport/negotiation.h"

namespace roomcast::transport {

std::optional<std::int64_t> parse_wait(std::string_view text) {
  constexpr std::size_t most_digits = 15;  // fits with three more
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!base::is_digits(whole)) return std::nullopt;
  const std::string_view decimals = point == std::string_view::npos ? "0" : text.substr(point + 1);
  if (!base::is_digits(decimals)) return std::nullopt;
  const std::string_view significant = whole.substr(std::min(whole.find_first_not_of('0'), whole.size()));
  if (significant.size() > most_digits) return std::numeric_limits<std::int64_t>::max();
  std::int64_t ms = 0;
  for (const char c : significant)
    ms = ms * 10 + (c - '0');
  for (std::size_t i = 0; i < 3; ++i)
    ms = ms * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
  return ms;
}

void PollJoin::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  const auto refuse = [&](const base::Refusal& refusal) {
    http::Response response = http::Response::error(refusal);
    add_room_fields(response.headers);
    exchange.respond(std::move(response));
  };
  const auto join = read_join_request(request, exchange.context().identity, room, polls_.parts().rooms);
  if (!join) return refuse(join.error());
  const auto wait_ms = parse_wait(request.query_parameter("wait").value_or("0"));
  if (!wait_ms) {
    return refuse({base::Refusal::Code::bad_wait, "wait must be a number of seconds, such as 30"});
  }
  const PollSettings& settings = polls_.settings();
  PollOptions options;
  if (request.method != http::Method::head) options.wait_ms = std::min(*wait_ms, settings.wait_ms);
  options.gzip = settings.compression && accepts_gzip(request);
  if (const auto refusal = polls_.open(exchange, *join, options)) refuse(*refusal);
}

}  // namespace roomcast::transport

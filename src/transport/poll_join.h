#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/exchange.h"
#include "transport/polls.h"

namespace roomcast::transport {

/// Milliseconds of `?wait=SECONDS`: digits, with or without decimals ("30", "0.5"); nothing for anything
/// else. A number too large for the clock is as good as for ever.
[[nodiscard]] std::optional<std::int64_t> parse_wait(std::string_view text);

/// `GET /rooms/{room}` answered once, with JSON: what the client has not seen yet (short poll), or with
/// `?wait=SECONDS` the first that comes within that time (long poll). `HEAD`: the same answer without its
/// body, never waited for. The parameters of the join are read by read_join_request.
class PollJoin final : public http::Handler {
 public:
  /// `polls` outlives the handler.
  explicit PollJoin(Polls& polls) : polls_(polls) {}

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  Polls& polls_;
};

}  // namespace roomcast::transport

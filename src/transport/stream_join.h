#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/exchange.h"
#include "http/response_head.h"
#include "session/dialect_choice.h"
#include "session/session_table.h"
#include "transport/http_stream.h"

namespace roomcast::transport {

/// `GET /rooms/{room}` answered without end: takes the connection over and makes a session of it. The
/// parameters of the join are read by read_join_request; where there is more than one dialect,
/// `?dialect=` picks it by name.
class StreamJoin final : public http::Handler {
 public:
  /// All outlive the handler, and so do the names in `choices`.
  StreamJoin(HttpStreamShared& shared, session::SessionTable& sessions, const base::Clock& clock,
             const StreamContent& content, session::DialectChoices choices);

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  [[nodiscard]] const dialect::Dialect* dialect_for(const http::Request& request) const;
  [[nodiscard]] std::string head_for(const http::Exchange& exchange, const StreamForm& form);

  HttpStreamShared& shared_;
  session::SessionTable& sessions_;
  const base::Clock& clock_;
  const StreamContent& content_;
  session::DialectChoices choices_;
  http::DateText date_;
};

}  // namespace roomcast::transport

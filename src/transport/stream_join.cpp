#include "transport/stream_join.h"

#include <memory>
#include <utility>

#include "transport/join_request.h"
#include "transport/negotiation.h"

namespace roomcast::transport {

namespace {

base::Refusal unknown_dialect(const session::DialectChoices& choices) {
  std::string message = "dialect must be one of";
  for (const session::DialectChoice& choice : choices.named)
    message.append(" ").append(choice.subprotocol);
  return {base::Refusal::Code::bad_dialect, message};
}

}  // namespace

StreamJoin::StreamJoin(HttpStreamShared& shared, session::SessionTable& sessions, const base::Clock& clock,
                       const StreamContent& content, session::DialectChoices choices)
    : shared_(shared), sessions_(sessions), clock_(clock), content_(content), choices_(std::move(choices)) {}

void StreamJoin::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  const auto refuse = [&](const base::Refusal& refusal) {
    http::Response response = http::Response::error(refusal);
    add_room_fields(response.headers);
    exchange.respond(std::move(response));
  };
  auto join = read_join_request(request, exchange.context().identity, room, sessions_.service());
  if (!join) return refuse(join.error());
  const dialect::Dialect* dialect = dialect_for(request);
  if (dialect == nullptr) return refuse(unknown_dialect(choices_));
  if (const auto refusal = sessions_.check_connection(join->caller.identity)) return refuse(*refusal);

  const StreamForm form{
      request.minor_version > 0 ? BodyCoding::Length::chunked : BodyCoding::Length::until_close,
      shared_.settings.compression && accepts_gzip(request)};
  const StreamFraming& framing = shared_.framings.for_form(form);
  // The request goes with the hand-over; all that is needed of it has been copied.
  sessions_.open(std::make_unique<HttpStream>(shared_, framing, exchange.take_over(head_for(exchange, form)),
                                              content_.opening()),
                 *dialect, join->options());
}

const dialect::Dialect* StreamJoin::dialect_for(const http::Request& request) const {
  const auto wanted = request.query_parameter("dialect");
  if (!wanted || choices_.named.empty()) return choices_.otherwise;
  for (const session::DialectChoice& choice : choices_.named) {
    if (choice.subprotocol == *wanted) return choice.dialect;
  }
  return nullptr;
}

std::string StreamJoin::head_for(const http::Exchange& exchange, const StreamForm& form) {
  http::Response response;
  response.headers.add("Content-Type", content_.media_type());
  if (form.gzip) response.headers.add("Content-Encoding", "gzip");
  // nginx would wait until it has a buffer full.
  response.headers.add("X-Accel-Buffering", "no");
  add_room_fields(response.headers);
  // A proxy that compresses holds events back until it has a block full (RFC 9111 section 5.2.2.6).
  response.headers.set("Cache-Control", "no-store, no-transform");
  exchange.add_gate_fields(response.headers);
  return http::endless_response_head(response, exchange.request().minor_version, date_.at(clock_.wall_ms()));
}

}  // namespace roomcast::transport

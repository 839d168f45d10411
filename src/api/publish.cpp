#include "api/publish.h"

#include <optional>
#include <string>
#include <utility>

#include "api/publish_format.h"

namespace roomcast::api {

namespace {

/// Why the fields of the request can't be those of a publish, if so.
std::optional<base::Refusal> check_fields(const http::Request& request) {
  if (auto refusal = check_encoding(request)) return refusal;
  if (const auto key = request.headers.get("Idempotency-Key")) {
    const bool is_one = request.headers.count("Idempotency-Key") == 1;
    if (!is_one || service::check_key(*key)) {
      return base::Refusal{base::Refusal::Code::bad_idempotency_key,
                           "Idempotency-Key must be given once, as 1 to 200 bytes of printable ASCII"};
    }
  }
  return std::nullopt;
}

http::Response receipt(std::string_view room, const hub::PublishResult& result) {
  if (!result) return http::Response::error(result.error());
  std::string body;
  append_receipt(body, room, *result);
  body += '\n';
  http::Response response = http::Response::of(200, "application/json", body);
  response.headers.add("Cache-Control", "no-store");
  return response;
}

}  // namespace

void Publish::add_routes(part::Routes& routes) {
  routes.add({http::Method::post}, "/rooms/{room}", http::Access::clients, *this);
}

void Publish::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  if (const auto refusal = check_fields(request)) return exchange.respond(http::Response::error(*refusal));
  const service::Caller caller(exchange.context().identity, request.query_parameter("name").value_or(""),
                               hub::source_of(request.client.address), request.client.address);
  const service::RawPayload payload{kind_of_body(request), request.body};
  const std::string_view key = request.headers.get("Idempotency-Key").value_or("");
  auto accepted = rooms_.accept(caller, room, payload, key);
  if (!accepted) return exchange.respond(http::Response::error(accepted.error()));
  rooms_.publish(std::move(*accepted),
                 [&connections = connections_, id = exchange.defer(), name = std::string(room)](
                     const hub::PublishResult& result) { connections.respond(id, receipt(name, result)); });
}

std::unique_ptr<part::Part> make_publish(const part::Context& context) {
  return std::make_unique<Publish>(context.rooms, context.responses);
}

}  // namespace roomcast::api

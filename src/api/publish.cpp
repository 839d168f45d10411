#include "api/publish.h"

#include <optional>
#include <string>
#include <utility>

#include "api/media_type.h"
#include "api/publish_outcome.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/room_name.h"

namespace roomcast::api {

namespace {

hub::Kind kind_of(const http::Request& request) {
  const std::string type = media_type(request);
  if (type.rfind("text/", 0) == 0) return hub::Kind::text;
  if (is_json(type)) return hub::Kind::json;
  // What curl and others call a body whose type nobody has said: mostly it is a sentence.
  if (type == "application/x-www-form-urlencoded" && base::is_valid_utf8(request.body))
    return hub::Kind::text;
  return hub::Kind::binary;
}

/// Why this cannot be published, if so.
std::optional<http::Response> check(std::string_view room, std::string_view client_name,
                                    const http::Request& request, std::uint64_t message_bytes,
                                    std::uint64_t json_depth) {
  if (const auto valid = hub::check_room_name(room); !valid) {
    return http::Response::error({base::Refusal::Code::bad_room_name, valid.error().message});
  }
  if (const auto valid = hub::check_client_name(client_name); !valid) {
    return http::Response::error({base::Refusal::Code::bad_client_name, valid.error().message});
  }
  if (request.headers.get("Content-Encoding").value_or("identity") != "identity") {
    return http::Response::error(
        {base::Refusal::Code::unsupported_encoding, "a body is taken as it is: send no Content-Encoding"});
  }
  if (const auto key = request.headers.get("Idempotency-Key")) {
    const bool is_one = request.headers.count("Idempotency-Key") == 1;
    if (!is_one || !hub::check_idempotency_key(*key)) {
      return http::Response::error(
          {base::Refusal::Code::bad_idempotency_key,
           "Idempotency-Key must be given once, as 1 to 200 bytes of printable ASCII"});
    }
  }
  const auto problem = check_payload(kind_of(request), request.body, message_bytes, json_depth);
  if (!problem) return std::nullopt;
  return http::Response::error(*problem);
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

void Publish::handle(http::Exchange& exchange, std::string_view room) {
  const http::Request& request = exchange.request();
  const std::string name = request.query_parameter("name").value_or("");
  if (auto problem = check(room, name, request, message_bytes_, json_depth_))
    return exchange.respond(std::move(*problem));
  const hub::Kind kind = kind_of(request);
  std::string space;
  const std::string_view payload =
      kind == hub::Kind::json ? base::with_whole_characters(request.body, space) : request.body;
  hub::Draft draft{kind, base::Bytes::copy_of(payload), base::Bytes::copy_of(name), 0,
                   hub::source_of(request.client.address)};
  const std::string key(request.headers.get("Idempotency-Key").value_or(""));
  publisher_.publish(
      room, std::move(draft), key,
      [&connections = connections_, id = exchange.defer(), name_of_room = std::string(room)](
          const hub::PublishResult& result) { connections.respond(id, receipt(name_of_room, result)); });
}

}  // namespace roomcast::api

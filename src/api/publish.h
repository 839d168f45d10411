#pragma once

#include <memory>
#include <string_view>

#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"

namespace roomcast::api {

/// `POST /rooms/{room}`: publishes the body. Content-Type decides the kind: `text/*` is text and must be
/// UTF-8, `application/json` and what ends in `+json` is json and must be one JSON value,
/// `application/x-www-form-urlencoded` is text if it is UTF-8, anything else is binary. The answer,
/// `{"room","cursor","subscribers"}`, comes once the message has its place in the room's order.
/// `Idempotency-Key` makes a repeated request safe (see hub::IdempotentPublisher): it gets the first receipt,
/// with
/// `"duplicate":true`.
class Publish final : public http::Handler, public part::Part {
 public:
  /// Both outlive the handler.
  Publish(service::Rooms& rooms, http::DeferredResponses& connections)
      : rooms_(rooms), connections_(connections) {}

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  service::Rooms& rooms_;
  http::DeferredResponses& connections_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_publish(const part::Context& context);

}  // namespace roomcast::api

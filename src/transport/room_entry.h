#pragma once

#include <memory>
#include <string_view>

#include "http/exchange.h"
#include "part/context.h"

namespace roomcast::transport {

/// `GET /rooms/{room}`: leads each client to the transport that it asks for (see negotiation.h).
class RoomEntry final : public http::Handler, public part::Part {
 public:
  /// `transports` outlives the entry, and is read anew for each request.
  explicit RoomEntry(const part::RoomTransports& transports) : transports_(transports) {}

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  const part::RoomTransports& transports_;
};

/// Gives `response`, which refuses `request`, the form of the transport that the request asks for.
void form_refusal(const http::Request& request, http::Response& response,
                  const part::RoomTransports& transports);

[[nodiscard]] std::unique_ptr<part::Part> make_room_entry(const part::Context& context);

}  // namespace roomcast::transport

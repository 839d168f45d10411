#pragma once

#include <string_view>

#include "http/exchange.h"

namespace roomcast::transport {

/// `GET /rooms/{room}`: leads every client to the transport that it wants (see negotiation.h).
class RoomEntry final : public http::Handler {
 public:
  struct Transports {
    http::Handler& websocket;
    http::Handler& event_stream;
    http::Handler& ndjson;
    http::Handler& poll;
  };
  /// All outlive the entry.
  explicit RoomEntry(const Transports& transports) : transports_(transports) {}

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  Transports transports_;
};

}  // namespace roomcast::transport

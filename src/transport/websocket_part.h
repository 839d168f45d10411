#pragma once

#include <memory>
#include <optional>

#include "config/config.h"
#include "part/context.h"
#include "transport/websocket.h"
#include "transport/websocket_framing.h"
#include "transport/websocket_upgrade.h"

namespace roomcast::transport {

[[nodiscard]] WebSocketSettings websocket_settings(const config::Config& config);

/// WebSocket: a transport of rooms, `/connect` for clients of many rooms, and `/echo` if echo.enabled is on.
class WebSocketPart final : public part::Part {
 public:
  explicit WebSocketPart(const part::Context& context);

  void add_routes(part::Routes& routes) override;
  void add_transports(part::RoomTransports& transports) override;
  void apply(const config::Config& config) override;
  void collect(metrics::Exposition& out) const override;

  [[nodiscard]] WebSocketShared& shared() { return shared_; }

 private:
  WebSocketFramings framings_;
  WebSocketShared shared_;
  WebSocketUpgrade join_;
  WebSocketUpgrade connect_;
  std::optional<WebSocketUpgrade> echo_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_websocket(const part::Context& context);

}  // namespace roomcast::transport

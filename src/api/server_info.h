#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "access/control.h"
#include "api/operator_call.h"
#include "base/clock.h"
#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"
#include "session/session_table.h"

namespace roomcast::api {

/// `GET /api/info`, for administrators: version, uptime, how many clients and rooms there are, and the limits
/// in force. `GET /api/me?room=`, for everybody: who the server takes the client for, and what it may do in
/// the room; without a room, everywhere.
class ServerInfo final : public part::Part {
 public:
  /// All outlive the part.
  explicit ServerInfo(const part::Context& context);

  void add_routes(part::Routes& routes) override;
  void apply(const config::Config& config) override;

  void info(http::Exchange& exchange, std::string_view rest);
  void me(http::Exchange& exchange, std::string_view rest);

 private:
  const access::Control& access_;
  const service::Rooms& rooms_;
  const session::SessionTable& sessions_;
  const base::Clock& clock_;
  std::string_view version_;
  std::int64_t started_s_;   // Unix time
  std::int64_t started_ms_;  // monotonic
  std::string limits_;       // as a JSON object
  Endpoint<ServerInfo> info_{*this, &ServerInfo::info};
  Endpoint<ServerInfo> me_{*this, &ServerInfo::me};
};

[[nodiscard]] std::unique_ptr<part::Part> make_server_info(const part::Context& context);

}  // namespace roomcast::api

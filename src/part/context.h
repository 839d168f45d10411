#pragma once

#include <string_view>

#include "part/dialects.h"
#include "part/part.h"

namespace roomcast::access {
struct Control;
}
namespace roomcast::auth {
class Accounts;
}
namespace roomcast::base {
class Clock;
class Deadlines;
class Log;
class Scheduler;
class TimeBudget;
}  // namespace roomcast::base
namespace roomcast::http {
class DeferredResponses;
}
namespace roomcast::net {
class Linger;
}
namespace roomcast::service {
class Rooms;
}
namespace roomcast::session {
class SessionTable;
}

namespace roomcast::part {

class CommandBus;
class SharedSanctions;

/// What endpoints and transports are made with. Everything outlives the parts, but for other parts: `parts`
/// and `transports` are complete once all have been made.
struct Context {
  const config::Config& config;  ///< of the start; what a reload may change comes through Part::apply
  std::string_view version;      ///< of the program
  const base::Clock& clock;
  base::Scheduler& scheduler;
  base::Deadlines& deadlines;
  base::TimeBudget& compressing;  ///< the time there is for it, for all parts together
  base::Log& log;
  net::Linger& linger;
  http::DeferredResponses& responses;  ///< deferred ones
  access::Control& access;
  auth::Accounts& accounts;
  service::Rooms& rooms;
  session::SessionTable& sessions;
  const Dialects& dialects;
  const RoomTransports& transports;
  const Parts& parts;
  // Where servers share their rooms, else null.
  CommandBus* commands = nullptr;
  SharedSanctions* shared_sanctions = nullptr;
};

}  // namespace roomcast::part

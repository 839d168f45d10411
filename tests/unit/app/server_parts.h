#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include "base/log.h"
#include "dialect/message_list.h"
#include "dialect/raw.h"
#include "engine/memory.h"
#include "http/router.h"
#include "http/server.h"
#include "hub/hub.h"
#include "loop/handles.h"
#include "net/linger.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/loop_fixture.h"
#include "transport/polls.h"

namespace roomcast::test {

/// What app/ composes, on a real loop, with clients whose wires are strings.
struct ServerParts : LoopFixture {
  using Wire = FakeTransport::Wire;

  ServerParts() { turn.add_work(hub); }
  ServerParts(const ServerParts&) = delete;
  ServerParts& operator=(const ServerParts&) = delete;
  ~ServerParts() {
    // Whoever is left goes while everything that they refer to still stands.
    sessions.abort_all();
    polls.abort_all();
    loop.run_turn_without_waiting();
  }

  Wire& join(std::string_view room) {
    Wire& wire = wires.emplace_back();
    sessions.open(std::make_unique<FakeTransport>(wire, framing), dialect, {room, "", true});
    return wire;
  }
  void join_many(int count) {
    for (int i = 0; i < count; ++i)
      join("lobby");
  }
  /// How many clients have been told to close.
  [[nodiscard]] int told_to_close() const {
    int count = 0;
    for (const Wire& wire : wires)
      count += wire.closes.empty() ? 0 : 1;
    return count;
  }
  /// Runs the loop until somebody stops it; false if nobody does.
  bool run() {
    struct Stop final : loop::Timer::Listener {
      explicit Stop(loop::Loop& l) : stopped(l) {}
      void on_timer(loop::Timer& /*limit*/) override { stopped.stop(); }
      loop::Loop& stopped;
    } stop(loop);
    loop::Timer limit(loop, stop);
    limit.start_once(20'000);
    loop.run();
    return limit.is_active();
  }

  std::deque<Wire> wires;
  BracketFraming framing;
  dialect::Raw dialect;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  net::Linger linger{turn, deadlines, {}};
  engine::Memory engine{loop};
  hub::Hub hub{{engine, turn, loop, deadlines}, {}};
  hub::IdempotentPublisher publisher{hub, turn, loop, deadlines, 100'000};
  service::Rooms service{hub, publisher};
  session::SessionTable sessions{service, turn, loop, log, deadlines};
  http::Router router;
  http::Server http{router, loop, deadlines, turn, log};
  dialect::MessageList poll_items;
  base::TimeBudget compressing{loop, 5'000};
  transport::Polls polls{{service, turn, deadlines, http, poll_items, compressing}};
};

}  // namespace roomcast::test

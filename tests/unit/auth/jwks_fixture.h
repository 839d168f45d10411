#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "auth/jwks_source.h"
#include "support/captured_stderr.h"
#include "support/fake_clock.h"
#include "support/origin_server.h"

namespace roomcast::test {

/// A source whose URL is a server on the loop, which answers what `document` and `status` say. The time of
/// the source is that of `clock`; its requests have the loop's.
struct JwksFixture : SocketFixture {
  /// What documents are parsed to in these tests: their text, unless that begins with '!'.
  using Keys = auth::JwksKeys<std::string>;

  JwksFixture() {
    server.on_request = [this](OriginServer::Connection& connection, const std::string&) {
      if (!is_silent) connection.respond(status, fields, document);
    };
    options.url = "http://ada:open@127.0.0.1:" + std::to_string(server.port()) + "/keys?token=secret";
  }
  /// Starts a source with `options`.
  void start() {
    keys = std::make_unique<Keys>(client, times, turn, log, options, [](std::string_view jwks) {
      if (jwks.starts_with("!")) return base::Result<std::string>(base::Error{"it is no key set"});
      return base::Result<std::string>(std::string(jwks));
    });
    keys->source().start();
  }
  /// Waits until the source has handled `count` answers.
  [[nodiscard]] bool wait_for(std::uint64_t count) {
    return run_until([&] { return stats().refreshed + stats().failed == count; });
  }
  [[nodiscard]] std::uint64_t fetches() const { return server.requests.size(); }
  [[nodiscard]] const auth::JwksStats& stats() const { return keys->source().stats(); }
  /// Lets `ms` pass for the source.
  void pass(std::int64_t ms) {
    constexpr std::int64_t step_ms = 250;
    for (std::int64_t passed = 0; passed < ms; passed += step_ms) {
      clock.advance(std::min(step_ms, ms - passed));
      (void)times.tick();
    }
  }
  /// Lets time pass until the source fetches again; the milliseconds, with a precision of 250, or -1 if they
  /// are more than `limit_ms`.
  std::int64_t next_fetch_after(std::int64_t limit_ms) {
    const std::uint64_t handled = stats().refreshed + stats().failed;
    const std::uint64_t begun = client.stats().running + client.stats().waiting;
    for (std::int64_t passed = 250; passed <= limit_ms; passed += 250) {
      pass(250);
      if (client.stats().running + client.stats().waiting == begun) continue;
      return wait_for(handled + 1) ? passed : -1;
    }
    return -1;
  }
  [[nodiscard]] std::string current() const { return keys->current() != nullptr ? *keys->current() : "none"; }

  FakeClock clock;
  base::Deadlines times{clock, 250};
  CapturedStderr logged;
  base::Log log{base::LogLevel::info, base::LogFormat::text};
  OriginServer server{*this};
  fetch::Client client{loop, sockets.poller, deadlines, turn, fetch::ClientOptions{}};
  auth::JwksOptions options;
  std::unique_ptr<Keys> keys;
  int status = 200;
  std::string fields;
  std::string document = "one";
  bool is_silent = false;
};

/// One that waits.
class JwksWaiter final : private auth::JwksSource::Waiter::Listener {
 public:
  explicit JwksWaiter(JwksFixture& fixture) : waiter(fixture.keys->source(), *this) {}

  auth::JwksSource::Waiter waiter;
  int calls = 0;
  std::function<void()> then;

 private:
  void on_refreshed() override {
    ++calls;
    if (then) then();
  }
};

}  // namespace roomcast::test

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/authenticator.h"
#include "access/control.h"
#include "base/log.h"
#include "dialect/json.h"
#include "dialect/raw.h"
#include "part/settings.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/hub_fixture.h"

namespace roomcast::test {

/// The user with this id, whose display name is the id with a capital.
inline access::Identity user(std::string id, std::int64_t expires_s = 0) {
  access::Profile profile;
  profile.name = id;
  profile.name.front() = static_cast<char>(profile.name.front() - 'a' + 'A');
  profile.id = std::move(id);
  profile.expires_s = expires_s;
  return access::Identity(std::move(profile));
}

/// Takes the token "ada" for the user ada, "key:ci" for the key ci, and refuses "stale".
class NamingAuthenticator final : public access::Authenticator {
 public:
  void authenticate(std::string_view token, Done done) override {
    token_ = token;
    done_ = std::move(done);
    if (!holds) answer();
  }
  void answer() {
    const Done done = std::exchange(done_, nullptr);
    if (token_ == "stale") {
      return done(base::Refusal{base::Refusal::Code::token_expired, "token expired 312 s ago"});
    }
    if (token_.rfind("key:", 0) != 0) return done(user(token_, expires_s));
    access::Profile profile;
    profile.kind = access::Kind::key;
    profile.id = token_.substr(4);
    done(access::Identity(std::move(profile)));
  }

  bool holds = false;  // until answer()
  std::int64_t expires_s = 0;

 private:
  std::string token_;
  Done done_;
};

/// A hub and a table of sessions with identities.
struct IdentityFixture : HubFixture<> {
  IdentityFixture() { table.set_authenticator(&authenticator); }
  IdentityFixture(const IdentityFixture&) = delete;
  IdentityFixture& operator=(const IdentityFixture&) = delete;
  ~IdentityFixture() {
    // The sessions that are left are freed before the wires that their transports refer to.
    table.abort_all();
    turn();
  }

  void set_rows(const std::vector<access::Row>& rows) { access.policy = *access::Policy::make(rows); }

  FakeTransport::Wire& open(const dialect::Dialect& dialect, session::Options options) {
    wires.push_back(std::make_unique<FakeTransport::Wire>());
    table.open(std::make_unique<FakeTransport>(*wires.back(), framing), dialect, options);
    return *wires.back();
  }
  /// roomcast.v1 over WebSocket.
  FakeTransport::Wire& open_json(session::Options options) {
    options.two_way = true;
    return open(json, options);
  }
  FakeTransport::Wire& open_raw(const session::Options& options) { return open(raw, options); }

  static void say(FakeTransport::Wire& wire, std::string_view request) {
    wire.events->on_message(dialect::PayloadForm::text, request);
  }
  static std::string sent(FakeTransport::Wire& wire) { return std::exchange(wire.sent, {}); }
  /// The types of what it has been sent since the last look.
  std::string heard(FakeTransport::Wire& wire) {
    turn();
    std::string types;
    const std::string text = sent(wire);
    constexpr std::string_view label = R"({"type":")";
    for (std::size_t at = text.find(label); at != std::string::npos; at = text.find(label, at + 1)) {
      const std::size_t begin = at + label.size();
      types += (types.empty() ? "" : " ") + text.substr(begin, text.find('"', begin) - begin);
    }
    return types;
  }
  /// Unix time.
  [[nodiscard]] std::int64_t expires_in(std::int64_t seconds) const {
    return clock.wall_ms() / 1'000 + seconds;
  }
  /// With the deadlines called as often as it takes for those that are set again.
  void pass_in_steps(std::int64_t ms) {
    constexpr std::int64_t step_ms = 60'000;
    for (; ms > step_ms; ms -= step_ms)
      pass(step_ms);
    pass(ms);
  }
  [[nodiscard]] session::Session& only_of(std::string_view user_id) {
    session::Session* found = nullptr;
    table.for_user(access::Kind::user, user_id, [&](session::Session& session) { found = &session; });
    return *found;
  }

  std::vector<std::unique_ptr<FakeTransport::Wire>> wires;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  BracketFraming framing;
  dialect::Json json;
  dialect::Raw raw;
  NamingAuthenticator authenticator;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionSettings settings = part::session_settings({});
  session::SessionTable table{service, scheduler, clock, log, deadlines, settings};
};

}  // namespace roomcast::test

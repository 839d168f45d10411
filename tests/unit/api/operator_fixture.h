#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/control.h"
#include "auth/accounts.h"
#include "base/log.h"
#include "base/name_pattern.h"
#include "base/time_budget.h"
#include "dialect/echo.h"
#include "dialect/json.h"
#include "dialect/message_list.h"
#include "dialect/raw.h"
#include "http/router.h"
#include "hub/idempotent_publisher.h"
#include "net/linger.h"
#include "part/context.h"
#include "part/settings.h"
#include "service/rooms.h"
#include "session/session_table.h"
#include "support/exchange_double.h"
#include "support/fake_micro_clock.h"
#include "support/hub_fixture.h"

namespace roomcast::test {

/// What the parts for operators are made with, and routers that pass requests to them as if a gate had
/// identified the client.
struct OperatorFixture : HubFixture<> {
  /// Lets everybody pass.
  struct OpenGate final : http::Gate {
    [[nodiscard]] http::RequestContext context_of(const http::Request& /*request*/) const override {
      return {};
    }
    [[nodiscard]] std::optional<base::Refusal> objection(const http::Request& /*request*/) const override {
      return std::nullopt;
    }
    [[nodiscard]] bool admit(http::Exchange& /*exchange*/, http::Access access) override {
      last_access = access;
      return true;
    }
    [[nodiscard]] bool answer_preflight(http::Exchange& /*exchange*/, http::Access /*access*/,
                                        std::string_view /*methods*/) const override {
      return false;
    }
    [[nodiscard]] bool has_readers() const override { return false; }
    void complete(const http::Request& /*request*/, const http::RequestContext& /*context*/,
                  http::Headers& /*headers*/) const override {}
    http::Access last_access = http::Access::open;
  };
  /// Keeps the deferred answers.
  struct Answers final : http::DeferredResponses {
    [[nodiscard]] std::string_view client_address(base::SlotId /*id*/) override { return {}; }
    void respond(base::SlotId /*id*/, http::Response response) override { last = std::move(response); }
    bool resume(base::SlotId /*id*/, const std::function<void(http::RequestContext&)>& /*change*/) override {
      return false;
    }
    std::optional<http::HandOver> take_over(base::SlotId /*id*/, std::string_view /*head*/) override {
      return std::nullopt;
    }
    std::optional<http::Response> last;
  };

  OperatorFixture() {
    router.set_gate(gate);
    operations.set_gate(gate);
  }

  void add(std::unique_ptr<part::Part> part, bool confined = false) {
    part::Routes routes(router, operations, reserve, confined);
    part->add_routes(routes);
    part->apply(config);
    parts.push_back(std::move(part));
  }

  /// A user with `may` in the rooms that the pattern matches.
  static access::Identity user(std::string_view id, access::PermissionSet may = {},
                               std::string_view pattern = "**") {
    access::Profile profile;
    profile.id = id;
    if (!may.empty()) profile.grants.push_back({base::NamePattern(std::string(pattern)), may});
    return access::Identity(std::move(profile));
  }
  static access::Identity admin() { return user("root", {access::Permission::admin}); }
  static access::Identity moderator(std::string_view pattern) {
    return user("mod", {access::Permission::moderate}, pattern);
  }

  /// The answer's status and body, without the line break behind it.
  std::string call(const access::Identity& identity, http::Method method, std::string_view target,
                   std::string_view body = {}) {
    ExchangeDouble exchange(method, target);
    exchange.edit().client.address = "192.0.2.99";
    exchange.edit().headers.add("Host", "chat.test");
    if (!body.empty()) exchange.edit().headers.add("Content-Type", content_type);
    exchange.edit().body = body;
    exchange.context().identity = identity;
    answers.last.reset();
    router.handle(exchange, "");
    turn();
    if (!exchange.answered() && !answers.last) return "not answered";
    const http::Response& response = exchange.answered() ? exchange.response() : *answers.last;
    std::string text = std::to_string(response.status) + ' ' + std::string(response.body.view());
    while (text.ends_with('\n') || text.ends_with(' '))
      text.pop_back();
    return text;
  }
  std::string get(const access::Identity& identity, std::string_view target) {
    return call(identity, http::Method::get, target);
  }
  std::string post(const access::Identity& identity, std::string_view target, std::string_view body) {
    return call(identity, http::Method::post, target, body);
  }
  /// Status and code of an answer that is an error.
  static std::string code_of(const std::string& answer) {
    constexpr std::string_view front = R"( {"error":{"code":")";
    const auto at = answer.find(front);
    if (at != 3) return answer;
    const auto begin = at + front.size();
    return answer.substr(0, 4) + answer.substr(begin, answer.find('"', begin) - begin);
  }

  config::Config config;
  std::string content_type = "application/json";
  OpenGate gate;
  http::Router router;
  http::Router operations;
  http::Router reserve;
  Answers answers;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  FakeMicroClock micro_clock;
  base::TimeBudget compressing{micro_clock, 5'000};
  net::Linger linger{scheduler, deadlines, {}};
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms rooms{hub, publisher, access, part::service_limits({})};
  session::SessionTable sessions{rooms, scheduler, clock, log, deadlines, part::session_settings({})};
  loop::Loop loop;
  auth::Accounts accounts{loop, log};
  part::Parts parts;
  part::RoomTransports transports;
  dialect::Raw raw;
  dialect::Json json;
  dialect::Echo echo;
  dialect::MessageList list_items;
  part::Dialects dialects{{{"roomcast.v1", &json}, {"roomcast.raw.v1", &raw}}, raw, json, echo, list_items};
  const part::Context context{config,   "1.2.3",  clock,      scheduler, deadlines, compressing,
                              log,      linger,   answers,    access,    accounts,  rooms,
                              sessions, dialects, transports, parts};
};

}  // namespace roomcast::test

#pragma once

#include <doctest/doctest.h>

#include <functional>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/message_list.h"
#include "hub/cursor.h"
#include "part/settings.h"
#include "support/exchange_double.h"
#include "support/hub_fixture.h"
#include "transport/poll_join.h"
#include "transport/poll_part.h"
#include "transport/polls.h"

namespace roomcast::transport::test {

/// Keeps the deferred answers in the order in which they came.
struct PollAnswers final : http::DeferredResponses {
  /// All come from one address.
  [[nodiscard]] std::string_view client_address(base::SlotId /*id*/) override { return "192.0.2.1"; }
  void respond(base::SlotId /*id*/, http::Response response) override { all.push_back(std::move(response)); }
  bool resume(base::SlotId /*id*/, const std::function<void(http::RequestContext&)>& /*change*/) override {
    return false;
  }
  std::optional<http::HandOver> take_over(base::SlotId /*id*/, std::string_view /*head*/) override {
    return std::nullopt;
  }
  std::vector<http::Response> all;
};

inline const std::string no_log = "00000000000000aa-5";  // a cursor of no log here

inline std::string cursor(std::uint64_t offset) { return hub::to_cursor({1, offset}); }

/// Clients that poll, and what they are told.
struct PollFixture : roomcast::test::HubFixture<> {
  PollFixture() = default;
  PollFixture(const PollFixture&) = delete;
  PollFixture& operator=(const PollFixture&) = delete;
  ~PollFixture() {
    // Whoever is left goes while everything that they refer to still stands.
    polls.abort_all();
    turn();
  }

  roomcast::test::ExchangeDouble& ask(std::string_view query, std::string_view room = "lobby",
                                      http::Method method = http::Method::get) {
    return ask(roomcast::test::ExchangeDouble(method, "/rooms/lobby" + std::string(query)), room);
  }
  roomcast::test::ExchangeDouble& ask(roomcast::test::ExchangeDouble exchange,
                                      std::string_view room = "lobby") {
    exchanges.push_back(std::move(exchange));
    join.handle(exchanges.back(), room);
    return exchanges.back();
  }
  void publish(std::string_view payload, std::string_view room = "lobby") {
    hub.publish(room, {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0});
  }
  /// Without the end of a turn before.
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
    turn();
  }
  /// What each answer of late says, in short: its messages' data, and where to go on.
  std::vector<std::string> heard() {
    std::vector<std::string> words;
    for (const http::Response& response : std::exchange(answers.all, {}))
      words.push_back(response.status == 200 ? summary(response) : std::to_string(response.status));
    return words;
  }
  static std::string content(const http::Response& response) {
    return std::string(response.before_body.view()) + std::string(response.body.view()) +
           std::string(response.behind_body.view());
  }
  static std::string summary(const http::Response& response) {
    const std::string body = content(response);
    std::string words;
    for (std::size_t at = 0; (at = body.find(R"("data":")", at)) != std::string::npos;) {
      at += 8;
      words += body.substr(at, body.find('"', at) - at) + " ";
    }
    if (body.find(R"("gap":null)") == std::string::npos) words += "gap ";
    const std::string place(response.headers.get("Roomcast-Cursor").value_or("?"));
    CHECK(body.find(R"({"room":"lobby","cursor":")" + place + '"') == 0);
    return words + place;
  }
  /// The status and code of an answer given at once.
  static std::string refusal(const roomcast::test::ExchangeDouble& exchange) {
    CHECK_FALSE(exchange.deferred());
    if (!exchange.answered()) return "not answered";
    const std::string body(exchange.body());
    const std::string front = R"({"error":{"code":")";
    return std::to_string(exchange.status()) + " " +
           body.substr(front.size(), body.find('"', front.size()) - front.size());
  }

  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  PollAnswers answers;
  std::list<roomcast::test::ExchangeDouble> exchanges;
  dialect::MessageList items;
  base::TimeBudget compressing{clock, 5'000};
  Polls polls{{service, scheduler, deadlines, clock, answers, items, compressing}, poll_settings({})};
  PollJoin join{polls};
};

using Words = std::vector<std::string>;

}  // namespace roomcast::transport::test

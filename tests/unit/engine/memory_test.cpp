#include "engine/memory.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/fake_clock.h"

namespace memory_test {

using namespace roomcast;

namespace {

struct Recorder final : hub::EngineEvents {
  void on_subscribed(std::string_view room, const hub::LogState& log) override {
    CHECK(log.floor == hub::LogState::no_past);
    tops.emplace_back(std::string(room), log.top);
  }
  void on_subscribe_refused(std::string_view /*room*/, const hub::Refusal& /*refusal*/) override { FAIL(""); }
  void on_amended(std::string_view room, hub::Amendment&& amendment) override {
    amendments.emplace_back(std::string(room), std::move(amendment));
  }
  void on_lost(std::string_view /*room*/) override { FAIL(""); }
  void on_resumed(std::string_view /*room*/, const hub::LogState& /*log*/) override { FAIL(""); }
  void on_page(hub::Ticket /*ticket*/, hub::ReadOutcome&& /*outcome*/) override { FAIL(""); }
  void on_message(std::string_view room, hub::Message&& message) override {
    messages.emplace_back(std::string(room), std::move(message));
  }
  void on_published(hub::Ticket ticket, const hub::PublishOutcome& outcome) override {
    answers.emplace_back(ticket, outcome->position);
  }
  std::vector<std::pair<std::string, hub::Position>> tops;
  std::vector<std::pair<std::string, hub::Message>> messages;
  std::vector<std::pair<std::string, hub::Amendment>> amendments;
  std::vector<std::pair<hub::Ticket, hub::Position>> answers;
};

struct Fixture {
  Fixture() { engine.start(events); }
  test::FakeClock clock;
  engine::Memory engine{clock};
  Recorder events;
  [[nodiscard]] static hub::Draft draft() {
    return {hub::Kind::json, base::Bytes::copy_of("{}"), hub::Author("Ada", "user:ada"), 7, 9};
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "memory engine: messages of a room are numbered from 1 within one epoch") {
  engine.subscribe("lobby");
  engine.publish("lobby", draft(), 11);
  engine.publish("lobby", draft(), 0);
  REQUIRE(events.messages.size() == 2);
  const hub::Message& first = events.messages[0].second;
  CHECK(first.position.offset == 1);
  CHECK(events.messages[1].second.position == hub::Position{first.position.epoch, 2});
  CHECK(first.kind == hub::Kind::json);
  CHECK(first.author == hub::Author("Ada", "user:ada"));
  CHECK(first.sender == 7);
  CHECK(first.source == 9);
  CHECK(first.time_ms == clock.wall_ms());
  REQUIRE(events.answers.size() == 1);  // ticket 0 asks for none
  CHECK(events.answers[0].first == 11);
  CHECK(events.answers[0].second == first.position);
}

TEST_CASE_FIXTURE(Fixture, "memory engine: a room that was forgotten comes back with another epoch") {
  engine.subscribe("lobby");
  engine.publish("lobby", draft(), 0);
  engine.unsubscribe("lobby");
  engine.subscribe("lobby");
  engine.publish("lobby", draft(), 0);
  CHECK(events.messages[0].second.position.epoch != events.messages[1].second.position.epoch);
  CHECK(events.messages[1].second.position.offset == 1);
}

TEST_CASE_FIXTURE(Fixture, "memory engine: a subscription is answered with the state of the log") {
  engine.subscribe("lobby");
  REQUIRE(events.tops.size() == 1);
  CHECK(events.tops[0].first == "lobby");
  CHECK(events.tops[0].second.epoch != 0);
  CHECK(events.tops[0].second.offset == 0);
  engine.publish("lobby", draft(), 0);
  CHECK(events.messages[0].second.position.epoch == events.tops[0].second.epoch);
}

}  // namespace memory_test

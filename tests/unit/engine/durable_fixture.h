#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/durable_engine.h"

/// What tests of the durable engine share: a disk that the test moves on, and what the engine says.
namespace roomcast::test {

using Words = std::vector<std::string>;

/// Writes down what the engine says: "a=1 hi", "#7 1 durable", "#7 store_busy".
struct EngineRecorder final : hub::EngineEvents {
  void on_subscribed(std::string_view room, const hub::LogState& log) override {
    state = log;
    say(std::string(room) + " open at " + std::to_string(log.top.offset));
  }
  void on_subscribe_refused(std::string_view room, const hub::Refusal& refusal) override {
    say(std::string(room) + " " + std::string(hub::describe(refusal.code).name));
  }
  void on_message(std::string_view room, hub::Message&& message) override {
    say(std::string(room) + "=" + std::to_string(message.position.offset) + " " +
        std::string(message.payload.view()));
    times.push_back(message.time_ms);
  }
  void on_amended(std::string_view room, hub::Amendment&& amendment) override {
    const char* const what[] = {"removed", "replaced", "cleared"};
    say(std::string(room) + " " + what[static_cast<int>(amendment.what)] + " " +
        std::to_string(amendment.message.position.offset));
  }
  void on_lost(std::string_view room) override { say(std::string(room) + " lost"); }
  void on_resumed(std::string_view room, const hub::LogState& log) override {
    state = log;
    say(std::string(room) + " resumed at " + std::to_string(log.top.offset));
  }
  void on_published(hub::Ticket ticket, const hub::PublishOutcome& outcome) override {
    std::string word = "#" + std::to_string(ticket) + " ";
    if (!outcome) return say(word + std::string(hub::describe(outcome.error().code).name));
    word += std::to_string(outcome->position.offset);
    say(word + (outcome->is_durable ? " durable" : "") + (outcome->is_duplicate ? " again" : ""));
  }
  void on_page(hub::Ticket ticket, hub::ReadOutcome&& outcome) override {
    std::string word = "page " + std::to_string(ticket) + ":";
    if (!outcome) return say(word + " " + std::string(hub::describe(outcome.error().code).name));
    for (const hub::Message& message : outcome->messages)
      word += " " + (message.is_removed ? std::string("-") : std::string(message.payload.view()));
    say(word);
    page = *outcome;
  }
  void say(std::string word) { said.push_back(std::move(word)); }
  Words take() { return std::exchange(said, {}); }

  Words said;
  std::optional<hub::LogState> state;
  std::vector<std::int64_t> times;
  hub::LogPage page;
};

struct DurableFixture {
  explicit DurableFixture(hub::Durability durability = hub::Durability::sync) { boot(durability); }
  void boot(hub::Durability durability) {
    server.emplace(store, durability, clock);
    server->engine.start(events);
  }
  /// The power fails, and the server is started again.
  void crash(hub::Durability durability) {
    server.reset();
    store.lose_power();
    boot(durability);
  }
  engine::Durable& engine() { return server->engine; }
  void open(std::string_view room = "a") {
    engine().subscribe(room);
    server->settle();
    events.take();
    store.take_types();
  }
  void publish(std::string_view payload, hub::Ticket ticket = 0, std::string_view key = {},
               std::string_view room = "a", std::string_view digest = "0123456789abcdef") {
    hub::Draft draft{hub::Kind::text, base::Bytes::copy_of(payload), {}, 0};
    if (!key.empty()) draft.key = hub::DraftKey(key, digest);
    engine().publish(room, std::move(draft), ticket);
  }
  Words settled() {
    server->settle();
    return events.take();
  }
  [[nodiscard]] std::uint64_t epoch() const { return events.state->top.epoch; }

  FakeClock clock;
  FakeRoomStore store;
  EngineRecorder events;
  std::optional<DurableEngine> server;
};

}  // namespace roomcast::test

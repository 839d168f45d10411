#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/hub_fixture.h"
#include "support/late_engine.h"

/// A hub over an engine that answers when the test says so.
namespace roomcast::hub::test {

/// Records in words what it receives, and checks that nothing is missing and nothing comes twice.
struct Hearer final : Subscriber {
  void on_joined(Membership& /*membership*/, const Joined& joined) override {
    at = joined.cursor;
    is_joined = true;
    say((joined.gap ? "joined behind a gap " : "joined ") + std::to_string(joined.cursor.offset));
  }
  void on_gap(Membership& /*membership*/, const Gap& gap) override {
    at = gap.cursor;
    say("gap " + std::to_string(gap.cursor.offset));
  }
  void on_behind(Membership& /*membership*/) override { say("behind"); }
  void on_refused(Membership& /*membership*/, const Refusal& refusal) override {
    say(std::string(describe(refusal.code).name));
    is_refused = true;
    membership.reset();
  }
  void deliver(Batch& batch, std::size_t from) override {
    std::string words;
    for (const Message& message : batch.messages().subspan(from)) {
      is_sound = is_sound && follows(message.position);
      at = message.position;
      words += (words.empty() ? "" : " ") + std::string(message.payload.view());
    }
    say(words);
    if (reads_on) wants_more = true;
  }
  /// Whether it is the position after the one that it is at. In a log that has gone on in another epoch both
  /// may have several names.
  [[nodiscard]] bool follows(const Position& position) const {
    const Position before{position.epoch, position.offset - 1};
    if (engine == nullptr || !membership) return before == at;
    const std::string_view room = membership->room_name();
    return engine->first_name_of(room, before) == engine->first_name_of(room, at);
  }
  void say(std::string what) {
    if (keeps_words) told.push_back(std::move(what));
  }
  /// All that it received since the last call.
  std::string take() {
    std::string all;
    for (const std::string& what : std::exchange(told, {}))
      all += (all.empty() ? "" : " / ") + what;
    return all;
  }

  std::unique_ptr<Membership> membership;
  roomcast::test::LateEngine* engine = nullptr;  // of a log that goes on in other epochs
  std::vector<std::string> told;
  Position at;
  bool is_joined = false;
  bool is_refused = false;
  bool is_sound = true;
  bool keeps_words = true;
  bool reads_on = true;
  bool wants_more = false;
};

struct LateFixture : roomcast::test::HubFixture<roomcast::test::LateEngine> {
  using Words = std::vector<std::string>;

  LateFixture()
      : HubFixture(part::hub_limits({}),
                   RoomRules({{4, 1'000'000, 3'600'000}, part::room_settings({}).presence})) {}

  static Draft text(std::string_view payload) { return {Kind::text, base::Bytes::copy_of(payload), {}, 0}; }
  /// The engine answers, and what comes of it happens.
  void settle() {
    for (int i = 0; i < 100; ++i) {
      engine.answer();
      turn();
      for (Hearer* hearer : hearers) {
        if (std::exchange(hearer->wants_more, false) && hearer->membership)
          hearer->membership->continue_replay();
      }
      if (engine.pending() == 0 && i > 3) return;
    }
  }
  void join(Hearer& hearer, std::string_view room = "lobby", const Interest& interest = {}) {
    hearer.membership = hub.subscribe(room, hearer, interest);
    if (std::find(hearers.begin(), hearers.end(), &hearer) == hearers.end()) hearers.push_back(&hearer);
  }
  /// Joins a room whose first log is still the only one, and asks for all of it.
  void join_for_all(Hearer& hearer, std::string_view room = "lobby") {
    Interest all;
    all.since = Position{1, 0};
    join(hearer, room, all);
  }
  /// A page of the first log, each message saying its offset.
  static LogPage page_of(std::initializer_list<std::uint64_t> offsets) {
    LogPage page;
    page.floor = 0;
    for (const std::uint64_t offset : offsets)
      page.messages.emplace_back(Kind::text, base::Bytes::copy_of(std::to_string(offset)), hub::Author(), 0,
                                 Position{1, offset}, 0);
    return page;
  }
  void elsewhere(int from, int to, std::string_view room = "lobby") {
    for (int i = from; i <= to; ++i)
      engine.append(room, text(std::to_string(i)));
  }

  std::vector<Hearer*> hearers;
};

}  // namespace roomcast::hub::test

// One hub with rooms of all kinds and readers that come, go, resume and catch up at random while messages are
// removed, replaced and cleared, against what was really published. The seed is in the message of a failure;
// ROOMCAST_TEST_SEED repeats it.
#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "hub/amendment.h"
#include "support/hub_fixture.h"
#include "support/read_history.h"

namespace hub_random_test {

using namespace roomcast;

namespace {

const std::array<std::string, 6> names{"none", "one", "few", "young", "many", "more"};

hub::RoomRules rules(std::size_t few) {
  const auto keeping = [](std::size_t messages, std::int64_t age_ms) {
    hub::RoomSettings settings = part::room_settings({});
    settings.history = {messages, 1'000'000, age_ms};
    return settings;
  };
  return hub::RoomRules(keeping(40, 10'000), {{"none", keeping(0, 300)},
                                              {"one", keeping(1, 500)},
                                              {"few", keeping(few, 1'000)},
                                              {"y*", keeping(20, 200)}});
}

/// What was published in a room, and what must still be kept of it.
struct Truth {
  struct Kept {
    std::uint64_t offset;
    std::int64_t at_ms;
  };
  std::map<std::uint64_t, std::vector<std::string>> logs;  // by epoch; empty: removed
  std::uint64_t epoch = 0;
  std::deque<Kept> kept;

  [[nodiscard]] std::uint64_t top() { return logs[epoch].size(); }
  [[nodiscard]] std::uint64_t earliest() { return kept.empty() ? top() : kept.front().offset - 1; }
  void trim(const hub::HistoryLimits& limits, std::int64_t now_ms) {
    while (!kept.empty() && (kept.size() > limits.messages || kept.front().at_ms + limits.age_ms <= now_ms))
      kept.pop_front();
  }
};

struct Simulation;

struct Reader final : hub::Subscriber {
  Reader(Simulation& s, std::size_t r) : simulation(s), room(r) {}
  void on_joined(hub::Membership& membership, const hub::Joined& joined) override;
  void on_gap(hub::Membership& membership, const hub::Gap& gap) override;
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override;
  void on_amendment(hub::AmendmentUpdate& update) override;
  /// What it shows is what there is.
  void check_shown();

  Simulation& simulation;
  std::size_t room;
  hub::Interest interest;
  bool leaves_at_gap = false;
  bool is_joined = false;
  std::uint64_t top_before = 0;                // of the room when it joined
  hub::Position at;                            // it has everything up to here
  std::map<std::uint64_t, std::string> shown;  // what it has got, by offset, as amended
  std::unique_ptr<hub::Membership> membership;
};

struct Simulation : test::HubFixture<> {
  Simulation(unsigned s, bool tight, bool late)
      : HubFixture(test::tiny_pages(12), rules(5)), seed(s), random(s), is_tight(tight), is_late(late) {
    engine.hold_rooms = late;
    if (tight) limits.history_bytes = 12'000;
    hub.set_limits(limits);
  }

  unsigned seed;
  std::mt19937 random;
  bool is_tight;  // the limit of all histories together is felt: what is kept is not predicted
  bool is_late;   // rooms are opened some time after they were asked for
  hub::RoomRules in_force = rules(5);
  std::array<Truth, names.size()> truths;
  std::vector<std::unique_ptr<Reader>> readers;
  std::uint64_t published = 0;
  std::uint64_t heard = 0;
  std::uint64_t gaps = 0;
  std::uint64_t amended = 0;  // amendments that readers were notified of

  unsigned below(unsigned bound) { return static_cast<unsigned>(random() % bound); }

  /// The truth of a room in the log that it has now.
  Truth& truth(std::size_t room) {
    Truth& found = truths.at(room);
    const std::uint64_t epoch = engine.top(names.at(room)).epoch;
    if (epoch != found.epoch) found.kept.clear();
    found.epoch = epoch;
    return found;
  }

  void publish() {
    const std::size_t room = below(names.size());
    const std::string payload = std::to_string(++published);
    const auto settings = in_force.find(names.at(room)).history;
    hub.publish(names.at(room), {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0});
    Truth& now = truth(room);
    now.logs[now.epoch].push_back(payload);
    REQUIRE(now.top() == engine.top(names.at(room)).offset);
    if (engine.is_open(names.at(room))) now.kept.push_back({now.top(), clock.now_ms});
    now.trim(settings, clock.now_ms);
  }

  void amend() {
    const std::size_t room = below(names.size());
    Truth& now = truth(room);
    std::vector<std::string>& log = now.logs[now.epoch];
    if (log.empty()) return;
    const std::size_t index = log.size() - 1 - below(std::min(20U, static_cast<unsigned>(log.size())));
    const hub::Position position{now.epoch, index + 1};
    const unsigned what = below(20);
    const std::string payload = std::to_string(++published);
    const int before = engine.amended;
    if (what == 0) {
      hub.clear(names.at(room), {});
    } else if (what < 12 || log[index].empty()) {
      hub.remove(names.at(room), position, {});
    } else {
      hub.replace(names.at(room), position, {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0}, {});
    }
    if (engine.amended == before) return;  // refused
    if (what == 0) {
      log.assign(log.size(), {});
      now.kept.clear();
    } else {
      log[index] = what < 12 || log[index].empty() ? std::string() : payload;
    }
  }

  void ask() {
    const std::size_t room = below(names.size());
    Truth& now = truth(room);
    std::optional<hub::Position> since;
    if (below(2) == 0) since = hub::Position{now.epoch, below(static_cast<unsigned>(now.top()) + 1)};
    const std::size_t limit = below(10);
    const auto page = test::read_now(hub, names.at(room), since, limit);
    if (!page) return;
    INFO("seed ", seed);
    REQUIRE(page->messages.size() <= limit);
    for (const hub::Message& message : page->messages) {
      REQUIRE_FALSE(message.is_removed);
      REQUIRE(message.payload.view() == now.logs[now.epoch].at(message.position.offset - 1));
    }
  }

  void join() {
    auto reader = std::make_unique<Reader>(*this, below(names.size()));
    if (below(3) == 0) reader->interest.history = below(8);
    if (below(3) != 0) {
      Truth& now = truth(reader->room);
      const std::uint64_t top = now.top() + 2;
      reader->interest.since =
          hub::Position{now.epoch - (below(20) == 0 ? 1 : 0), top - std::min<std::uint64_t>(top, below(50))};
    }
    reader->leaves_at_gap = below(4) == 0;
    reader->top_before = truth(reader->room).top();
    reader->membership = hub.subscribe(names.at(reader->room), *reader, reader->interest);
    readers.push_back(std::move(reader));
  }

  void leave() {
    if (readers.empty()) return;
    std::swap(readers.at(below(static_cast<unsigned>(readers.size()))), readers.back());
    readers.pop_back();
  }

  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
    for (std::size_t room = 0; room < names.size(); ++room)
      truth(room).trim(in_force.find(names.at(room)).history, clock.now_ms);
  }

  void change_settings() {
    in_force = rules(1 + below(10));
    hub.set_rules(in_force);
    pass(0);
  }

  void open_rooms() {
    for (const std::string& name : names) {
      if (engine.top(name).epoch != 0 && !engine.is_open(name) && below(3) == 0) engine.open(name);
    }
  }

  void step() {
    const unsigned what = below(100);
    if (what < 30) return publish();
    if (what < 40) return join();
    if (what < (readers.size() > 40 ? 55 : 48)) return leave();
    if (what < 70) return (void)hub.do_slice();
    if (what < 75) return scheduler.run_turn(hub);
    if (what < 80) return pass(below(60));
    if (what < 82) return open_rooms();
    if (what == 82) return change_settings();
    if (what < 88) return amend();
    if (what < 90) return ask();
    if (!readers.empty()) {
      Reader& reader = *readers.at(below(static_cast<unsigned>(readers.size())));
      if (reader.membership) reader.membership->continue_replay();
    }
  }

  /// Delivers everything: then no reader is owed a message.
  void settle() {
    while (is_late && std::any_of(names.begin(), names.end(), [&](const std::string& name) {
             return engine.top(name).epoch != 0 && !engine.is_open(name);
           }))
      open_rooms();
    bool more = true;
    while (std::exchange(more, false)) {
      scheduler.run_turn(hub);
      for (const auto& reader : readers) {
        if (!reader->membership || !reader->membership->is_catching_up()) continue;
        reader->membership->continue_replay();
        more = true;
      }
    }
    for (const auto& reader : readers) {
      if (!reader->membership) continue;
      INFO("seed ", seed);
      REQUIRE(reader->is_joined);
      REQUIRE(reader->at == engine.top(names.at(reader->room)));
      reader->check_shown();
    }
    REQUIRE(hub.backlog_bytes() == 0);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      if (i % 1'000 == 999) settle();
      if (is_tight) REQUIRE(hub.history_bytes() <= limits.history_bytes + 6 * 1'500);
    }
    settle();
    readers.clear();
    pass(20'000);
    scheduler.run_turn(hub);
    pass(20'000);
    CHECK(hub.rooms() == 0);
    CHECK(hub.history_bytes() == 0);
    // Otherwise this has shown nothing.
    CHECK(heard > static_cast<std::uint64_t>(steps));
    CHECK(gaps > static_cast<std::uint64_t>(steps) / 1'000);
    CHECK(amended > static_cast<std::uint64_t>(steps) / 100);
    CHECK(hub.stats().gaps == gaps);
  }
};

void Reader::on_joined(hub::Membership& /*membership*/, const hub::Joined& joined) {
  INFO("seed ", simulation.seed);
  REQUIRE_FALSE(is_joined);
  is_joined = true;
  Truth& now = simulation.truth(room);
  if (joined.gap) {
    REQUIRE(interest.since);
    REQUIRE(joined.cursor == joined.gap->cursor);
    const bool is_elsewhere = interest.since->epoch != now.epoch || interest.since->offset > top_before;
    const bool is_missing = interest.since->offset < joined.gap->earliest.offset;
    REQUIRE((is_elsewhere || is_missing || simulation.is_late));
  } else if (interest.since) {
    REQUIRE(joined.cursor == *interest.since);
  } else {
    REQUIRE(joined.cursor.offset <= now.top());
    REQUIRE(joined.cursor.epoch == now.epoch);
  }
  at = joined.cursor;
  if (!joined.gap) return;
  ++simulation.gaps;
  REQUIRE(joined.cursor.offset >= joined.gap->earliest.offset);
  REQUIRE(joined.cursor.offset <= now.top());
  if (!interest.history) REQUIRE(joined.cursor == joined.gap->earliest);
  if (leaves_at_gap) membership.reset();
}

void Reader::on_gap(hub::Membership& /*membership*/, const hub::Gap& gap) {
  INFO("seed ", simulation.seed);
  REQUIRE(is_joined);
  ++simulation.gaps;
  Truth& now = simulation.truth(room);
  REQUIRE(gap.cursor.epoch == now.epoch);
  REQUIRE(gap.cursor == gap.earliest);
  REQUIRE(gap.cursor.offset > at.offset);  // really missing
  if (!simulation.is_tight) REQUIRE(gap.earliest.offset == now.earliest());
  at = gap.cursor;
  if (leaves_at_gap) membership.reset();
}

void Reader::deliver(hub::Batch& batch, std::size_t from) {
  INFO("seed ", simulation.seed);
  REQUIRE(is_joined);
  REQUIRE(from < batch.messages().size());
  const auto& log = simulation.truth(room).logs[at.epoch];
  for (const hub::Message& message : batch.messages().subspan(from)) {
    ++at.offset;
    const bool is_next = message.position == at && message.payload.view() == log.at(at.offset - 1);
    if (!is_next) FAIL("got ", message.position.offset, " where ", at.offset, " was to come");
    REQUIRE(message.is_removed == message.payload.empty());
    if (!message.is_removed) shown[at.offset] = message.payload.view();
    ++simulation.heard;
  }
}

void Reader::on_amendment(hub::AmendmentUpdate& update) {
  using What = hub::Amendment::What;
  INFO("seed ", simulation.seed);
  REQUIRE(is_joined);
  ++simulation.amended;
  const hub::Message& message = update.amendment().message;
  const std::uint64_t offset = message.position.offset;
  REQUIRE(message.position.epoch == at.epoch);
  if (update.amendment().what == What::cleared) {
    shown.erase(shown.begin(), shown.upper_bound(offset));
    return;
  }
  REQUIRE(offset <= at.offset);  // never before the message
  const auto found = shown.find(offset);
  if (found == shown.end()) return;
  if (update.amendment().what == What::removed) {
    shown.erase(found);
  } else {
    found->second = message.payload.view();
  }
}

void Reader::check_shown() {
  const auto& log = simulation.truth(room).logs[at.epoch];
  for (const auto& [offset, payload] : shown)
    REQUIRE(payload == log.at(offset - 1));
}

unsigned seed() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): tests have one thread
  const char* given = std::getenv("ROOMCAST_TEST_SEED");
  return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
}

}  // namespace

TEST_CASE("hub at random: each reader gets everything in order, or a gap where something is missing") {
  Simulation(seed(), false, false).run(100'000);
}

TEST_CASE("hub at random: with an engine that opens rooms late") {
  Simulation(seed(), false, true).run(60'000);
}

TEST_CASE("hub at random: with too little memory for all histories") {
  Simulation(seed(), true, false).run(60'000);
}

}  // namespace hub_random_test

// Rooms with limits of all kinds, whose messages are published, removed, replaced and cleared at random,
// while folds, sweeps, evictions, changes of rules and new starts come in between, against a model that keeps
// everything. The seed is in the message of a failure; ROOMCAST_TEST_SEED repeats it, ROOMCAST_TEST_STEPS
// goes on for longer.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "unit/store/archive_fixture.h"

namespace archive_random_test {

using namespace roomcast;

namespace {

constexpr std::size_t rooms = 8;

struct Truth {
  struct Message {
    std::uint64_t offset;
    std::int64_t time_ms;
    std::size_t bytes;
    std::string payload;  // "-": removed
  };
  std::string name;
  store::RoomId id = 0;
  bool is_written = false;
  std::vector<Message> messages;
  std::vector<hub::Hole> holes;
  std::uint64_t top = 0;
  std::uint64_t ceiling = 0;
  std::uint64_t floor = 0;         // by clears, and holes that are too many
  std::uint64_t folded_floor = 0;  // the highest that a fold or sweep has seen
  std::uint64_t folded_top = 0;
  std::int64_t last_ms = 0;

  [[nodiscard]] std::uint64_t floor_of(const hub::HistoryLimits& limits, std::int64_t now_ms) const {
    std::uint64_t after = floor;
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
      bytes += message->bytes;
      if (++count > limits.messages || bytes > limits.bytes || now_ms - message->time_ms >= limits.age_ms)
        return std::max(after, message->offset);
    }
    return after;
  }
  void add_hole(std::uint64_t last) {
    if (!holes.empty() && holes.back().last == top) {
      holes.back().last = last;
    } else {
      holes.push_back({top + 1, last});
    }
    if (holes.size() > store::holes_max)
      floor = std::max(floor, holes[holes.size() - store::holes_max - 1].last);
    top = last;
    ceiling = std::max(ceiling, top);
  }
};

struct Simulation : test::ArchiveFixture {
  std::mt19937_64 random;
  std::array<Truth, rooms> truths;
  store::RoomId next_room = 1;

  explicit Simulation(std::uint64_t seed) : random(seed) {
    for (std::size_t i = 0; i < rooms; ++i)
      truths[i].name = std::string(1, static_cast<char>('a' + i));
    change_rules();
  }

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

  void change_rules() {
    const std::int64_t long_ms = std::int64_t{1'000} * minute_ms;
    const auto any = [this](std::size_t from, std::size_t to) { return from + below(to - from + 1); };
    std::vector<hub::RoomRules::Rule> by_room{
        {"a", test::keeping(any(0, 3), plenty, long_ms)},
        {"b", test::keeping(any(5, 60), plenty, long_ms)},
        {"c", test::keeping(any(50, 300), plenty, static_cast<std::int64_t>(any(1, 20)) * minute_ms)},
        {"d", test::keeping(plenty, any(100, 3'000), long_ms)},
        {"e",
         test::keeping(any(5, 100), any(1'000, 60'000), static_cast<std::int64_t>(any(3, 60)) * minute_ms)},
        {"f", test::keeping(plenty, plenty, static_cast<std::int64_t>(any(1, 9)) * minute_ms)},
    };
    rules = hub::RoomRules(test::keeping(200, plenty, long_ms), by_room);
  }

  [[nodiscard]] const hub::HistoryLimits& limits(const Truth& truth) const {
    return rules.find(truth.name).history;
  }

  void write_room(Truth& truth) {
    if (truth.is_written) return;
    truth.is_written = true;
    truth.id = next_room++;
    create(truth.id, truth.name);
  }

  void publish_some(Truth& truth) {
    write_room(truth);
    for (std::size_t count = 1 + below(below(10) == 0 ? 40 : 3); count-- > 0;) {
      const std::string payload(below(20) == 0 ? below(9'000) : below(120),
                                static_cast<char>('a' + below(26)));
      const std::size_t before = batch.size();
      truth.last_ms = now_ms;
      publish(truth.id, ++truth.top, payload);
      truth.ceiling = std::max(truth.ceiling, truth.top);
      truth.messages.push_back({truth.top, now_ms, batch.size() - before, payload});
    }
  }

  void lose_some(Truth& truth) {
    write_room(truth);
    const std::uint64_t last = truth.top + 1 + below(5);
    // A hole is noted, or found by what comes after it.
    if (below(2) == 0) {
      mark(store::Record::Type::hole, truth.id, last, static_cast<std::int64_t>(truth.top + 1));
      truth.add_hole(last);
    } else {
      truth.add_hole(last);
      publish_some(truth);
    }
  }

  void amend(Truth& truth) {
    // What messages weigh until they are written again is left open.
    if (truth.messages.empty() || limits(truth).bytes != plenty) return;
    const std::size_t recent = std::min<std::size_t>(truth.messages.size(), 1 + below(300));
    Truth::Message& message = truth.messages[truth.messages.size() - 1 - below(recent)];
    if (message.payload == "-") return;
    if (below(2) == 0) {
      message.payload = "-";
      mark(store::Record::Type::removed, truth.id, message.offset, now_ms);
    } else {
      message.payload = "instead " + std::to_string(random());
      publish(truth.id, message.offset, message.payload, {}, store::Record::Type::replaced);
    }
  }

  void clear(Truth& truth) {
    write_room(truth);
    truth.floor = truth.top;
    mark(store::Record::Type::cleared, truth.id, truth.top);
  }

  void change_ceiling(Truth& truth) {
    write_room(truth);
    if (truth.ceiling > truth.top) {
      truth.ceiling = truth.top;
      mark(store::Record::Type::top, truth.id, truth.top);
    } else {
      truth.ceiling = truth.top + 1'000;
      mark(store::Record::Type::ceiling, truth.id, truth.ceiling);
    }
  }

  void note_folded(bool is_fold) {
    for (Truth& truth : truths) {
      if (is_fold) truth.folded_top = truth.top;
      truth.folded_floor = std::max(truth.folded_floor, truth.floor_of(limits(truth), now_ms));
    }
  }

  void step() {
    Truth& truth = truths[below(rooms)];
    const std::size_t what = below(1'000);
    if (what < 600) {
      publish_some(truth);
    } else if (what < 620) {
      lose_some(truth);
    } else if (what < 690) {
      amend(truth);
    } else if (what < 693) {
      clear(truth);
    } else if (what < 710) {
      change_ceiling(truth);
    } else if (what < 780) {
      now_ms += static_cast<std::int64_t>(below(below(30) == 0 ? 600'000 : 5'000));
    } else if (what < 800) {
      fold();
      note_folded(true);
    } else if (what < 806) {
      sweep_to_the_end();
      note_folded(false);
    } else if (what < 808) {
      change_rules();
      if (below(2) == 0) archive->sweep_all();
    } else if (what < 811) {
      open();
    } else if (what < 812) {
      REQUIRE_FALSE(archive->make_space(options.bytes_max));
      for (Truth& evicted : truths)
        evicted.folded_floor = std::max(evicted.folded_floor, evicted.folded_top);
    } else {
      commit();
      check(truth);
    }
  }

  std::vector<hub::Hole> holes_of(const Truth& truth, std::uint64_t floor) const {
    return store::holes_after(floor, truth.holes);
  }

  /// A hole that begins right behind a floor may be part of what is below it.
  static std::uint64_t behind_hole(const Truth& truth, std::uint64_t floor) {
    for (const hub::Hole& hole : truth.holes) {
      if (hole.first <= floor + 1 && hole.last > floor) return hole.last;
    }
    return floor;
  }

  void check(const Truth& truth) {
    const std::uint64_t lowest = truth.floor_of(limits(truth), now_ms);
    const store::RoomExtent extent = load(truth.name);
    REQUIRE(extent.is_written == truth.is_written);
    if (!truth.is_written) return;
    REQUIRE(extent.id == truth.id);
    REQUIRE(extent.top == truth.top);
    REQUIRE(extent.ceiling == truth.ceiling);
    REQUIRE(extent.last_time_ms == truth.last_ms);
    // What once was past the limits may be gone when they are wider again.
    REQUIRE(extent.floor >= lowest);
    REQUIRE(extent.floor <= behind_hole(truth, std::max(lowest, truth.folded_floor)));
    REQUIRE(extent.holes == holes_of(truth, extent.floor));
    check_page(truth, extent.floor);
  }

  void check_page(const Truth& truth, std::uint64_t floor) {
    const std::uint64_t after =
        below(3) == 0 ? 0 : truth.top - below(std::min<std::size_t>(truth.top, 400) + 1);
    const std::size_t messages_max = 1 + below(100);
    const std::size_t bytes_max = below(2) == 0 ? plenty : below(5'000);
    const store::RecordPage page = read(truth.id, truth.name, after, messages_max, bytes_max).page;
    REQUIRE(page.floor == floor);
    REQUIRE(page.holes == holes_of(truth, floor));
    const std::vector<Read> found = messages(page.records);
    auto expected =
        std::find_if(truth.messages.begin(), truth.messages.end(),
                     [&](const Truth::Message& message) { return message.offset > std::max(after, floor); });
    REQUIRE(found.empty() == (expected == truth.messages.end()));
    for (std::size_t i = 0; i < found.size(); ++i, ++expected) {
      REQUIRE(expected != truth.messages.end());
      REQUIRE(found[i].offset == expected->offset);
      REQUIRE(found[i].payload == expected->payload);
    }
    if (found.empty() || expected == truth.messages.end()) return;
    // It is full, or ends before a hole. Removed messages do not count, but there are no more than 500.
    const auto removed = static_cast<std::size_t>(
        std::count_if(found.begin(), found.end(), [](const Read& one) { return one.payload == "-"; }));
    const bool has_all = expected->payload == "-" ? removed == 500 : found.size() - removed == messages_max;
    const bool is_full = has_all || page.records.size() + expected->bytes + 100 >
                                        std::min(bytes_max, store::ArchiveReader::page_bytes_max);
    REQUIRE((is_full || expected->offset != found.back().offset + 1));
    REQUIRE((found.size() == 1 ||
             page.records.size() <= std::min(bytes_max, store::ArchiveReader::page_bytes_max)));
  }
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace

TEST_CASE("archive: whatever is done to rooms, floors, pages and holes are those of the model") {
  const std::uint64_t seed = from_environment("ROOMCAST_TEST_SEED", std::random_device{}());
  const std::uint64_t steps = from_environment("ROOMCAST_TEST_STEPS", 10'000);
  INFO("ROOMCAST_TEST_SEED=", seed);
  Simulation simulation(seed);
  for (std::uint64_t step = 0; step < steps; ++step) {
    INFO("step ", step);
    simulation.step();
  }
  for (const Truth& truth : simulation.truths) {
    simulation.commit();
    simulation.check(truth);
  }
}

}  // namespace archive_random_test

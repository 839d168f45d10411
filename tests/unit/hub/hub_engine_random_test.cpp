// Long random sessions over an engine that is late, refuses, forgets, loses its link, goes on in another
// epoch with or without its last messages, and begins anew: each reader gets every message in order, or a
// gap, and in the end has everything.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/hub/late_fixture.h"

namespace roomcast::hub::test {

namespace {

struct Session : LateFixture {
  static constexpr std::array<std::string_view, 3> rooms{"attic", "cellar", "lobby"};

  explicit Session(unsigned seed) : random(seed) {
    engine.page_max = 3;
    for (std::size_t i = 0; i < 10; ++i) {
      Hearer& reader = *readers.emplace_back(std::make_unique<Hearer>());
      reader.keeps_words = false;
      reader.engine = &engine;
    }
  }

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  }
  std::string_view some_room() { return rooms.at(below(rooms.size())); }

  void step() {
    const std::string_view room = some_room();
    switch (below(16)) {
      case 0:
      case 1:
        return join_or_leave(*readers[below(readers.size())], room);
      case 2:
      case 3:
        ++published;
        return hub.publish(room, text("x"), [this](const PublishResult& /*result*/) { ++answered; });
      case 4:
      case 5:
        engine.append(room, text("y"));
        return;
      case 6:
        return engine.lose(room);
      case 7:
      case 8:
        return engine.resume(room);
      case 9:
        if (below(8) == 0) engine.reset(room);
        if (below(2) == 0) engine.fork(room, below(2) * below(4));
        return;
      case 10:
        if (below(4) == 0) engine.keep_last(room, below(6));
        return;
      case 11:
        engine.refuses = below(5) == 0;
        return;
      case 12:
        if (below(10) == 0) engine.drop_all();
        return;
      case 13:
        return pass(static_cast<std::int64_t>(below(4'000)));
      case 14:
        (void)hub.do_slice();
        return;
      default:
        engine.answer(below(2) == 0 ? room : std::string_view{});
        turn();
        read_on();
    }
  }

  void join_or_leave(Hearer& reader, std::string_view room) {
    if (reader.membership) {
      reader.membership.reset();
      return;
    }
    Interest interest;
    if (below(2) == 0) interest.since = Position{engine.top(room).epoch, below(engine.top(room).offset + 2)};
    if (below(3) == 0) interest.history = below(12);
    reader.is_joined = false;
    join(reader, room, interest);
  }

  void read_on() {
    for (const auto& reader : readers) {
      if (std::exchange(reader->wants_more, false) && reader->membership)
        reader->membership->continue_replay();
    }
  }

  void finish() {
    engine.refuses = false;
    for (const std::string_view room : rooms)
      engine.resume(room);
    pass(limits.engine_ms + 300);
    settle();
    settle();
  }

  std::mt19937 random;
  std::vector<std::unique_ptr<Hearer>> readers;
  std::size_t published = 0;
  std::size_t answered = 0;
};

}  // namespace

TEST_CASE("late engine: in random sessions nothing is missing without a gap, nothing comes twice, all ends") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Session session(seed);
    for (int i = 0; i < 2'000; ++i)
      session.step();
    session.finish();
    CHECK(session.answered == session.published);
    CHECK(session.hub.backlog_bytes() == 0);
    for (const auto& reader : session.readers) {
      CHECK(reader->is_sound);
      if (!reader->membership) continue;
      CHECK(reader->is_joined);
      CHECK(session.engine.is_at_top(reader->membership->room_name(), reader->at));
      CHECK_FALSE(reader->membership->is_catching_up());
    }
  }
}

}  // namespace roomcast::hub::test
